/** How far functions that are made of primitives are from Float64 on the adapter at hand: what rounding in between costs. */
import * as T from '../../../src/index.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import { traceTree } from '../../../src/lang/trace.ts'
import * as nn from '../../../src/nn/index.ts'
import { sharedDevice } from '../../device.ts'
import { type Figures, figuresOf, inputsOf } from './errors-of.ts'
import { floatOf, readings } from './sweep.ts'

type X = T.Tensor
type Made = (x: X, y: X) => X

/** Of one number. */
const unary: Readonly<Record<string, Made>> = {
  square: (x) => T.square(x) as X,
  reciprocal: (x) => T.reciprocal(x) as X,
  frac: (x) => T.frac(x) as X,
  sinc: (x) => T.sinc(x) as X,
  logit: (x) => T.logit(x) as X,
  deg2rad: (x) => T.deg2rad(x) as X,
  rad2deg: (x) => T.rad2deg(x) as X,
  relu: (x) => nn.relu(x) as X,
  relu6: (x) => nn.relu6(x) as X,
  leakyRelu: (x) => nn.leakyRelu(x) as X,
  elu: (x) => nn.elu(x) as X,
  celu: (x) => nn.celu(x) as X,
  selu: (x) => nn.selu(x) as X,
  gelu: (x) => nn.gelu(x) as X,
  geluTanh: (x) => nn.gelu(x, { approximate: 'tanh' }) as X,
  silu: (x) => nn.silu(x) as X,
  softplus: (x) => nn.softplus(x) as X,
  logsigmoid: (x) => nn.logsigmoid(x) as X,
  mish: (x) => nn.mish(x) as X,
  softsign: (x) => nn.softsign(x) as X,
  hardtanh: (x) => nn.hardtanh(x) as X,
  hardsigmoid: (x) => nn.hardsigmoid(x) as X,
  hardswish: (x) => nn.hardswish(x) as X,
  tanhshrink: (x) => nn.tanhshrink(x) as X,
  softshrink: (x) => nn.softshrink(x) as X,
  hardshrink: (x) => nn.hardshrink(x) as X,
}

/** Of two numbers. */
const binary: Readonly<Record<string, Made>> = {
  hypot: (x, y) => T.hypot(x, y) as X,
  logaddexp: (x, y) => T.logaddexp(x, y) as X,
  logaddexp2: (x, y) => T.logaddexp2(x, y) as X,
  xlogy: (x, y) => T.xlogy(x, y) as X,
  copysign: (x, y) => T.copysign(x, y) as X,
  fmax: (x, y) => T.fmax(x, y) as X,
  fmin: (x, y) => T.fmin(x, y) as X,
  fmod: (x, y) => T.fmod(x, y) as X,
  remainder: (x, y) => T.remainder(x, y) as X,
  floorDivide: (x, y) => T.floorDivide(x, y) as X,
  nextafter: (x, y) => T.nextafter(x, y) as X,
}

/** The functions that are measured. */
export const composedNames: readonly string[] = [...Object.keys(unary), ...Object.keys(binary)]

/** Every combination of what the device may take each argument for. */
const variants = (columns: readonly Float64Array[]): readonly (readonly Float64Array[])[] =>
  columns.reduce<readonly (readonly Float64Array[])[]>(
    (all, c) =>
      all.flatMap((xs) => [
        [...xs, c],
        [...xs, c.map((v) => readings(v).at(-1)!)],
      ]),
    [[]],
  )

const measure = async (
  made: Readonly<Record<string, Made>>,
  arity: 1 | 2,
  samples: number,
): Promise<readonly Figures[]> => {
  if (Object.keys(made).length === 0) return []
  const { words } = inputsOf(arity, samples)
  const columns = words.map((w) => Float64Array.from(w, floatOf))
  const shape = [columns[0]!.length]
  const spec = T.spec(shape)
  const specs = arity === 1 ? [spec] : [spec, spec]
  const all = (...xs: readonly X[]): readonly X[] => Object.values(made).map((f) => f(xs[0]!, xs[1] ?? xs[0]!))
  const program = await T.compileOn(await sharedDevice(), all as never, specs as never)
  const outputs = (await program.run(
    ...(columns.map((c) => Float32Array.from(c)) as never),
  )) as unknown as readonly T.Output[]
  const { graph } = traceTree(all as never, specs)
  const exact = variants(columns).map((xs) =>
    evaluate(
      graph,
      xs.map((data) => ({ shape, dtype: 'f32' as const, data })),
    ),
  )
  return Promise.all(
    Object.keys(made).map(async (name, k) => {
      const got = (await outputs[k]!.read()) as Float32Array
      return figuresOf(name, columns, got, (i) => exact.map((values) => values[k]!.data[i]!))
    }),
  )
}

const among = (made: Readonly<Record<string, Made>>, names: readonly string[]): Readonly<Record<string, Made>> =>
  Object.fromEntries(Object.entries(made).filter(([name]) => names.includes(name)))

/** The figures of those named, over about `samples` arguments each. */
export const composedErrors = async (
  samples: number,
  names: readonly string[] = composedNames,
): Promise<readonly Figures[]> => [
  ...(await measure(among(unary, names), 1, samples)),
  ...(await measure(among(binary, names), 2, samples)),
]
