/**
 * What a worker runs: plain JavaScript as text, which no compiler or bundler touches and no file has to be found for. It is
 * the counterpart of `make-team.ts`, which says what the caller does.
 */
import { at, mostText, spinLoads, spinTime, step, stepAt, stepMask, ticksPerMs } from './control.ts'
import { chunkBits, mostChunks, mostSteps } from './limits.ts'

/** The text of a worker. Its first message is `{ words, memory, thread }`, all others `{ id, module }`: none to forget it. */
export const workerSource: string = `
const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads')
const port = threads ? threads.parentPort : self
const modules = new Map()
let c, memory, thread, received = 0

const stepAt = (number) => ${stepAt(0)} + (number % ${mostSteps}) * ${step.length}

const rest = (ticket) => {
  const end = performance.now() + ${spinTime}
  for (let i = 1; Atomics.load(c, ${at.ticket}) === ticket; i++) {
    if (i % ${spinLoads} !== 0 || performance.now() < end) continue
    Atomics.add(c, ${at.sleepers}, 1)
    Atomics.wait(c, ${at.ticket}, ticket)
    Atomics.sub(c, ${at.sleepers}, 1)
    return
  }
}

const fail = (e) => {
  if (Atomics.compareExchange(c, ${at.failed}, 0, 1) !== 0) return
  const text = String((e && e.stack) || e).slice(0, ${mostText})
  for (let i = 0; i < text.length; i++) c[${at.text} + i] = text.charCodeAt(i)
  c[${at.textLength}] = text.length
  Atomics.store(c, ${at.failed}, 2)
}

const turn = (number) => {
  Atomics.store(c, ${at.ticket}, number << ${chunkBits})
  if (c[stepAt(number) + ${step.wakes}] && Atomics.load(c, ${at.sleepers}) > 0) Atomics.notify(c, ${at.ticket})
  if (Atomics.exchange(c, ${at.callerSleeps}, 0)) Atomics.notify(c, ${at.callerSleeps})
}

const bind = (s) => {
  const first = ${at.addresses} + c[s + ${step.addresses}]
  const addresses = Array.from(c.subarray(first, first + c[s + ${step.bindings}]))
  const run = modules.get(c[s + ${step.module}])['k' + c[s + ${step.kernel}]]
  const scratch = c[s + ${step.scratch}] + thread * c[s + ${step.stride}]
  const words = c[s + ${step.words}]
  return (from, to) => run(from, to, scratch, words, ...addresses)
}

const work = () => {
  let run, now = performance.now(), bound = -1
  for (;;) {
    const ticket = Atomics.load(c, ${at.ticket})
    if (Atomics.load(c, ${at.mail}) !== received) return
    const number = ticket >>> ${chunkBits}
    const s = stepAt(number)
    const i = ticket & ${mostChunks}
    const chunks = Atomics.load(c, s + ${step.chunks})
    if (i >= chunks) {
      rest(ticket)
      bound = -1
      now = performance.now()
    } else if (Atomics.compareExchange(c, ${at.ticket}, ticket, ticket + 1) === ticket) {
      try {
        if (bound !== number) run = bind(s)
        bound = number
        const from = c[s + ${step.from}] + i * c[s + ${step.size}]
        if (Atomics.load(c, ${at.failed}) === 0) run(from, Math.min(c[s + ${step.to}], from + c[s + ${step.size}]))
      } catch (e) {
        fail(e)
      }
      const start = now
      now = performance.now()
      Atomics.add(c, s + ${step.ticks}, Math.round((now - start) * ${ticksPerMs}))
      if (Atomics.add(c, s + ${step.done}, 1) + 1 === chunks) turn((number + 1) & ${stepMask})
    }
  }
}

const receive = (message) => {
  if (message.words) {
    c = new Int32Array(message.words)
    memory = message.memory
    thread = message.thread
    Atomics.add(c, ${at.ready}, 1)
  } else if (message.module) modules.set(message.id, new WebAssembly.Instance(message.module, { env: { memory } }).exports)
  else modules.delete(message.id)
  received++
  if (Atomics.load(c, ${at.mail}) === received) work()
}

if (port.on) port.on('message', receive)
else port.onmessage = ({ data }) => receive(data)
`
