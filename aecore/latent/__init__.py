"""Latent spaces as maps: how well they are organised, what lies between the codes, and where there are holes.

Codes are float [N, d]; data are flat, [N, D]. A *decoder* is any function [N, d] -> [N, D].
"""

from aecore.latent.holes import CENTRAL, Decoder, Reference, central_mass, hole_map, hole_share, nearest_distance
from aecore.latent.organisation import (
    NEIGHBOURS,
    Organisation,
    kmeans_purity,
    knn_accuracy,
    organisation,
    silhouette,
    trustworthiness,
)
from aecore.latent.projection import Whitening, neighbour_map, project, projections
from aecore.latent.walks import quantile_grid, walk
from aecore.numerics.pca import Principal

__all__ = [
    "CENTRAL",
    "NEIGHBOURS",
    "Decoder",
    "Organisation",
    "Principal",
    "Reference",
    "Whitening",
    "central_mass",
    "hole_map",
    "hole_share",
    "kmeans_purity",
    "knn_accuracy",
    "nearest_distance",
    "neighbour_map",
    "organisation",
    "project",
    "projections",
    "quantile_grid",
    "silhouette",
    "trustworthiness",
    "walk",
]
