# An LSTM reads a book letter by letter, and writes on.
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

device = "cuda" if torch.cuda.is_available() else "cpu"
text = open("moby-dick.txt").read()
alphabet = sorted(set(text))
index = {c: i for i, c in enumerate(alphabet)}
codes = torch.tensor([index[c] for c in text])
rows = codes[: len(codes) // 65 * 65].view(-1, 65)
cut = int(0.9 * len(rows))
train_loader = DataLoader(TensorDataset(rows[:cut]), batch_size=32, shuffle=True)
test_loader = DataLoader(TensorDataset(rows[cut:]), batch_size=32)


class CharLSTM(nn.Module):
    def __init__(self, characters, hidden):
        super().__init__()
        self.embedding = nn.Embedding(characters, hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.linear = nn.Linear(hidden, characters)

    def forward(self, x, state=None):
        y, state = self.lstm(self.embedding(x), state)
        return self.linear(y), state


def loss_of(batch):
    logits, _ = model(batch[:, :-1])
    return F.cross_entropy(logits.transpose(1, 2), batch[:, 1:])


model = CharLSTM(len(alphabet), 128).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)

for epoch in range(2):
    for (batch,) in train_loader:
        loss = loss_of(batch.to(device))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        losses = [loss_of(batch.to(device)) for (batch,) in test_loader]
    print(f"epoch {epoch + 1}: perplexity {torch.stack(losses).mean().exp():.3f}")

written, state = [index["\n"]], None
with torch.no_grad():
    for _ in range(200):
        last = torch.tensor([[written[-1]]], device=device)
        logits, state = model(last, state)
        p = F.softmax(logits[0, -1] / 0.7, dim=0)
        written.append(torch.multinomial(p, 1).item())
print("".join(alphabet[i] for i in written))
