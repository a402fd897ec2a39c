"""Every objective once, beside its formula and source; all are means per datum over a batch."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def mean_squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mean of ``(x_hat - x)**2`` over all values of all data.

    Up to a factor and a constant, the negative log-likelihood of a Gaussian with fixed variance:
    Goodfellow, Bengio & Courville, *Deep Learning* (2016), section 5.5.1.
    """
    return F.mse_loss(x_hat, x)


def mean_absolute_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mean of ``|x_hat - x|`` over all values of all data: outliers pull on it less than on the squared error.

    Up to a factor and a constant, the negative log-likelihood of a Laplace distribution with fixed scale:
    Boyd & Vandenberghe, *Convex Optimization* (2004), section 7.1.1.
    """
    return F.l1_loss(x_hat, x)


def bernoulli_negative_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """Binary cross-entropy ``-sum_i x_i log p_i + (1 - x_i) log(1 - p_i)`` per datum, in nats; ``p = sigmoid(logits)``.

    Takes the logits because ``log(sigmoid(.))`` loses its precision where p nears 0 or 1.
    Kingma & Welling, *Auto-Encoding Variational Bayes* (2014), appendix C.1.
    """
    total = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return total / len(x)


def kl_to_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """``KL(N(mu, diag(exp(logvar))) || N(0, I)) = 1/2 sum_j mu_j^2 + exp(logvar_j) - 1 - logvar_j`` per datum, in nats.

    Kingma & Welling, *Auto-Encoding Variational Bayes* (2014), appendix B.
    """
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum() / len(mu)


def l1_sparsity(z: Tensor, atoms: Tensor | None = None) -> Tensor:
    """``sum_j |z_j|`` per datum; with ``atoms`` ``sum_j |z_j| * ||atoms_j||``.

    Most units stay at zero where a little of each would do. Olshausen & Field, *Emergence of Simple-Cell Receptive
    Field Properties by Learning a Sparse Code for Natural Images* (1996). With a linear decoder's columns as ``atoms``
    [D, latent_dim], halving a code and doubling its column gains nothing: Conerly et al., *Update on How We Train
    SAEs* (2024).
    """
    sizes = z.abs() if atoms is None else z.abs() * atoms.norm(dim=0)
    return sizes.sum() / len(z)


def kl_sparsity(z: Tensor, target: float) -> Tensor:
    """``sum_j target log(target / m_j) + (1 - target) log((1 - target) / (1 - m_j))``, m_j a unit's mean over a batch.

    The KL divergence between two coins: one that is heads as often as wished, one as often as the unit is active.
    z [B, latent_dim] must lie in 0..1. Lee, Ekanadham & Ng, *Sparse Deep Belief Net Model for Visual Area V2* (2008);
    in this form: Ng, *Sparse Autoencoder*, CS294A lecture notes (2011).
    """
    mean = z.mean(0).clamp(1e-6, 1 - 1e-6)  # a unit that is always off would cost infinitely much
    return (target * (target / mean).log() + (1 - target) * ((1 - target) / (1 - mean)).log()).sum()


def jacobian_norm(encode: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``||dz/dx||_F^2`` per datum, exactly: a backward pass for each code number.

    Rifai et al., *Contractive Auto-Encoders: Explicit Invariance During Feature Extraction* (ICML 2011).
    """
    jacobians = torch.func.vmap(torch.func.jacrev(lambda one: encode(one[None])[0]))(x)  # (B, d, *input_shape)
    return jacobians.square().sum() / len(x)


def jacobian_norm_estimate(encode: Callable[[Tensor], Tensor], x: Tensor, noise: torch.Generator) -> Tensor:
    """``||dz/dx||_F^2`` per datum, estimated by one backward pass: ``E_v ||v^T dz/dx||^2`` with v of N(0, I).

    Hutchinson, *A Stochastic Estimator of the Trace of the Influence Matrix* (1989). The encoder must treat each datum
    by itself. Gradients flow through the estimate, which is what a penalty needs.
    """
    with torch.inference_mode(False), torch.enable_grad():
        x = x.clone().requires_grad_()  # a copy: what comes from a scoring without gradients cannot have any
        z = encode(x)
        v = torch.empty_like(z).normal_(generator=noise)
        (pulled,) = torch.autograd.grad(z, x, v, create_graph=True)  # v^T dz/dx of each datum, (B, *input_shape)
    return pulled.square().sum() / len(x)
