# A generative adversarial network learns a Gaussian that leans.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
spread = torch.tensor([[1.0, 0.6], [-0.3, 0.5]])
mean = torch.tensor([1.0, 2.0])


def real_points(n):
    return torch.randn(n, 2) @ spread.T + mean


def net(outputs):
    return nn.Sequential(
        nn.Linear(2, 32),
        nn.LeakyReLU(0.2),
        nn.Linear(32, 32),
        nn.LeakyReLU(0.2),
        nn.Linear(32, outputs),
    )


generator, critic = net(2), net(1)
g_optimizer = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.9))
c_optimizer = torch.optim.Adam(critic.parameters(), lr=5e-4, betas=(0.5, 0.9))
ones, zeros = torch.ones(256, 1), torch.zeros(256, 1)
bce = F.binary_cross_entropy_with_logits

for step in range(1, 4001):
    made = generator(torch.randn(256, 2))
    c_loss = bce(critic(real_points(256)), ones) + bce(critic(made.detach()), zeros)
    c_optimizer.zero_grad()
    c_loss.backward()
    c_optimizer.step()

    g_loss = bce(critic(made), ones)
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()

    if step % 500 == 0:
        print(f"step {step}: critic {c_loss:.3f}, generator {g_loss:.3f}")

with torch.no_grad():
    points = generator(torch.randn(2000, 2))
print("mean", points.mean(0), "covariance", torch.cov(points.T))
