/** Runs the training trajectories: one traced step, applied as often as the file says, losses and final state compared. */
import { check } from '../../passes/graph/check.ts'
import { compile, orThrow, toPromise } from '../../src/compile/compile.ts'
import { TensorloomError } from '../../src/lang/errors.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import type { TensorType } from '../../src/lang/ir.ts'
import type { Value } from '../../src/lang/primitive.ts'
import { traceTree } from '../../src/lang/trace.ts'
import { flattenTree, unflattenTree } from '../../src/lang/tree.ts'
import type { Device } from '../../src/runtime/device.ts'
import type { Output } from '../../src/runtime/resident.ts'
import { argumentOf, type BackendName, deviceOf, readOutput, targetOf } from './backends.ts'
import { differenceOf } from './compare.ts'
import type { Named } from './models.ts'
import { mapPooled } from './pool.ts'
import { type AreaReport, emptyArea } from './report.ts'
import { type GoldenModel, type GoldenRun, type GoldenTensor, inputValue } from './schema.ts'
import { Unsupported } from './table.ts'
import { type Training, trainingOf } from './training.ts'

/** A tree of host values in place of tensors. */
type HostTree = unknown

/** Losses of every step, and the state after the last. */
interface Trained {
  readonly losses: readonly (readonly number[])[]
  readonly params: Readonly<Record<string, Value>>
  readonly buffers: Readonly<Record<string, Value>>
}

type Trainer = (training: Training, start: HostState, batches: readonly HostNamed[], steps: number) => Promise<Trained>

type HostNamed = Readonly<Record<string, Value>>
interface HostState {
  readonly params: HostNamed
  readonly buffers: HostNamed
  readonly optimisers: HostTree
}

const isValue = (x: unknown): x is Value => typeof x === 'object' && x !== null && 'data' in x && 'dtype' in x
const typeOfValue = ({ shape, dtype }: Value): TensorType => ({ shape, dtype })

/** A tree of values with every value replaced. */
const mapValues = (tree: HostTree, f: (v: Value) => unknown): unknown => {
  const { leaves, shape } = flattenTree(tree, isValue)
  return unflattenTree(shape, leaves.map(f))
}

const named = (tensors: readonly GoldenTensor[]): HostNamed =>
  Object.fromEntries(tensors.map((t) => [t.name!, inputValue(t)]))

/** Runs a function of trees on the interpreter, once. */
const onHost = (
  f: (...args: never[]) => unknown,
  args: readonly HostTree[],
): ((args: readonly HostTree[]) => unknown) => {
  const { graph, outputs } = traceTree(
    f,
    args.map((a) => mapValues(a, typeOfValue)),
  )
  const checked = check.run(graph)
  if (checked._tag === 'Left') throw new TensorloomError(checked.left)
  return (given) => unflattenTree(outputs, evaluate(checked.right, flattenTree(given, isValue).leaves))
}

/** The file's parameters and buffers with the optimisers' first state. */
const startOf = (model: GoldenModel, training: Training): HostState => {
  const params = named(model.params)
  const initial = onHost(((p: Named) => training.init(p)) as never, [params])([params])
  return { params, buffers: named(model.buffers), optimisers: initial }
}

const onReference: Trainer = async (training, start, batches, steps) => {
  const step = onHost(training.step as never, [start, batches[0]!])
  let state = start
  const losses: (readonly number[])[] = []
  for (let t = 0; t < steps; t++) {
    const next = step([state, batches[t % batches.length]!]) as { losses: readonly Value[]; state: HostState }
    losses.push(next.losses.map((v) => v.data[0]!))
    state = next.state
  }
  return { losses, params: state.params, buffers: state.buffers }
}

const onDevice =
  (open: () => Promise<Device>): Trainer =>
  async (training, start, batches, steps) => {
    const device = await open()
    const specs = [start, batches[0]!].map((x) => mapValues(x, typeOfValue))
    const program = orThrow(
      compile(training.step as never, specs as never, {
        donate: [0],
        name: 'step',
        ...targetOf(device),
      }),
    )
    const loaded = await toPromise(program.load(device))
    const run = loaded.run as unknown as (...args: unknown[]) => Promise<{
      readonly losses: readonly Output[]
      readonly state: { readonly params: Record<string, Output>; readonly buffers: Record<string, Output> }
    }>
    const hosted = batches.map((b) => mapValues(b, argumentOf))
    let state: unknown = mapValues(start, argumentOf)
    const losses: Promise<readonly number[]>[] = []
    for (let t = 0; t < steps; t++) {
      const next = await run(state, hosted[t % hosted.length])
      losses.push(Promise.all(next.losses.map(async (l) => (await l.read())[0]!)))
      state = next.state
    }
    const last = state as Awaited<ReturnType<typeof run>>['state']
    const read = async (of: Record<string, Output>): Promise<HostNamed> =>
      Object.fromEntries(await Promise.all(Object.entries(of).map(async ([k, o]) => [k, await readOutput(o)] as const)))
    return { losses: await Promise.all(losses), params: await read(last.params), buffers: await read(last.buffers) }
  }

const train: { readonly [K in BackendName]: Trainer } = {
  reference: onReference,
  webgpu: onDevice(deviceOf.webgpu),
  cpu: onDevice(deviceOf.cpu),
}

/** The first difference from the file, or undefined. */
const difference = (run: GoldenRun, got: Trained): string | undefined => {
  for (const [t, want] of run.losses.entries()) {
    const why = differenceOf(got.losses[t]!, [want].flat(), { tol: run.tol.loss }, true)
    if (why) return `loss of step ${t}: ${why}`
  }
  for (const [what, wanted, tree] of [
    ['parameter', run.finalParams, got.params],
    ['buffer', run.finalBuffers, got.buffers],
  ] as const) {
    for (const want of wanted) {
      const value = tree[want.name!]
      if (value === undefined) return `no final ${what} ${want.name}`
      const why = differenceOf(value.data, want.data, { tol: run.tol.params }, true)
      if (why) return `final ${what} ${want.name}: ${why}`
    }
  }
  return undefined
}

/** What came of a run. */
type Outcome = { readonly why: string | undefined } | Unsupported

const outcomeOf = async (model: GoldenModel, run: GoldenRun, backend: BackendName): Promise<Outcome> => {
  try {
    const training = trainingOf(model, run)
    const got = await train[backend](training, startOf(model, training), model.batches.map(named), model.steps)
    return { why: difference(run, got) }
  } catch (e) {
    return e instanceof Unsupported ? e : { why: e instanceof Error ? e.message : String(e) }
  }
}

/** The report of all runs of all models. */
export const runTrajectories = async (
  models: readonly GoldenModel[],
  backend: BackendName,
  reasons: Map<string, string>,
): Promise<AreaReport> => {
  const report = emptyArea()
  const runs = models.flatMap((model) => model.runs.map((run) => ({ model, run })))
  const outcomes = await mapPooled(runs, 3, ({ model, run }) => outcomeOf(model, run, backend))
  for (const [i, outcome] of outcomes.entries()) {
    const { id } = runs[i]!.run
    if (outcome instanceof Unsupported) {
      if (!report.unsupported.includes(outcome.op)) report.unsupported.push(outcome.op)
    } else if (outcome.why === undefined) report.passed++
    else {
      report.failed.push(id)
      reasons.set(id, outcome.why)
    }
  }
  return report
}
