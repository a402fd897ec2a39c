"""Every objective once, beside its formula and source; all are means per datum over a batch."""

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
