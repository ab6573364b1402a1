# Linear regression on noisy points.
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(1000, 2)
y = x @ torch.tensor([[2.0], [-3.4]]) + 4.2 + 0.01 * torch.randn(1000, 1)
loader = DataLoader(TensorDataset(x, y), batch_size=10, shuffle=True)

model = nn.Linear(2, 1)
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.03)

for epoch in range(3):
    for xb, yb in loader:
        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        loss = loss_fn(model(x), y)
    print(f"epoch {epoch + 1}: loss {loss.item():.6f}")

print("weight", model.weight.data, "bias", model.bias.data)
