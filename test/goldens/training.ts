/** A golden run as a training step: a pure function from state and batch to losses and the next state. */
import { valueAndGrad } from '../../passes/transform/gradient.ts'
import * as T from '../../src/lang/tensor/index.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'
import { binaryCrossEntropyWithLogits } from '../../src/nn/index.ts'
import * as optim from '../../src/optim/index.ts'
import { adversarial, losses, type Named } from './models.ts'
import type { GoldenModel, GoldenRun } from './schema.ts'
import { Unsupported } from './table.ts'

/** Everything that changes from step to step. */
export interface State {
  readonly params: Named
  readonly buffers: Named
  /** One optimiser's state each; an adversarial model has two, the discriminator's first. */
  readonly optimisers: readonly optim.OptimiserState[]
}

/** What a step gives: losses as of before the update, and the next state. */
export interface Stepped {
  readonly losses: readonly Tensor[]
  readonly state: State
}

/** A run's step, and the state of its optimisers before the first. */
export interface Training {
  readonly init: (params: Named) => readonly optim.OptimiserState[]
  readonly step: (state: State, batch: Named) => Stepped
}

const num = (o: Readonly<Record<string, unknown>>, name: string, otherwise = 0): number => {
  const x = o[name] ?? otherwise
  if (typeof x !== 'number') throw new Error(`goldens: the optimiser's ${name} is ${JSON.stringify(x)}`)
  return x
}

/** The run's learning rate: a number, or our schedule of that name. */
export const rateOf = ({ optimizer, schedule }: GoldenRun): optim.Rate => {
  const lr = num(optimizer, 'lr')
  switch (schedule?.name) {
    case undefined:
    case 'constant':
      return lr
    case 'step':
      return optim.stepDecay(lr, { stepSize: num(schedule!, 'step_size'), gamma: num(schedule!, 'gamma', 0.1) })
    case 'exponential':
      return optim.exponentialDecay(lr, { gamma: num(schedule!, 'gamma') })
    case 'cosine':
      return optim.cosineDecay(lr, { steps: num(schedule!, 'T_max'), min: num(schedule!, 'eta_min') })
    case 'warmup':
      return optim.warmup(lr, { steps: num(schedule!, 'warmup_steps') })
    default:
      throw new Unsupported(`schedule ${schedule!.name}`)
  }
}

const betasOf = (o: GoldenRun['optimizer']): { readonly beta1: number; readonly beta2: number } => {
  const [beta1 = 0.9, beta2 = 0.999] = (o['betas'] ?? []) as readonly number[]
  return { beta1, beta2 }
}

/** The run's optimiser in ours. Defaults are torch's. */
export const optimiserOf = (run: GoldenRun): optim.Optimiser => {
  const o = run.optimizer
  const rate = rateOf(run)
  const clip = o['clip_grad_norm']
  const common = {
    weightDecay: num(o, 'weight_decay', o.name === 'adamw' ? 0.01 : 0),
    ...(typeof clip === 'number' ? { clipNorm: clip } : {}),
  }
  switch (o.name) {
    case 'sgd':
    case 'momentum':
    case 'nesterov':
      return optim.sgd(rate, {
        ...common,
        momentum: num(o, 'momentum'),
        dampening: num(o, 'dampening'),
        nesterov: o.name === 'nesterov' || o['nesterov'] === true,
      })
    case 'adagrad':
      return optim.adagrad(rate, { ...common, rateDecay: num(o, 'lr_decay'), eps: num(o, 'eps', 1e-10) })
    case 'rmsprop':
      return optim.rmsprop(rate, {
        ...common,
        alpha: num(o, 'alpha', 0.99),
        eps: num(o, 'eps', 1e-8),
        momentum: num(o, 'momentum'),
        centered: o['centered'] === true,
      })
    case 'adadelta':
      return optim.adadelta(rate, { ...common, rho: num(o, 'rho', 0.9), eps: num(o, 'eps', 1e-6) })
    case 'adam':
    case 'adamw':
      return (o.name === 'adam' ? optim.adam : optim.adamw)(rate, {
        ...common,
        ...betasOf(o),
        eps: num(o, 'eps', 1e-8),
        amsgrad: o['amsgrad'] === true,
      })
    default:
      throw new Unsupported(`optimizer ${o.name}`)
  }
}

const pick = (params: Named, prefix: string): Named =>
  Object.fromEntries(Object.entries(params).filter(([name]) => name.startsWith(prefix)))

type Differentiated = (f: (w: Named) => Tensor) => (w: Named) => readonly [Tensor, Named]
const lossAndGradients = valueAndGrad as unknown as Differentiated

/** Value, generator's buffers and gradients: the buffers come out beside the loss. */
const withBuffers = (
  f: (w: Named) => readonly [Tensor, Named],
  w: Named,
): readonly [readonly [Tensor, Named], Named] => {
  const differentiated = valueAndGrad as unknown as (
    g: typeof f,
    options: { readonly hasAux: true },
  ) => (x: Named) => readonly [readonly [Tensor, Named], Named]
  return differentiated(f, { hasAux: true })(w)
}

/** The training step of a run of a model. Throws Unsupported for a model, optimiser or schedule that we do not know. */
export const trainingOf = (model: GoldenModel, run: GoldenRun): Training => {
  const optimiser = optimiserOf(run)
  const loss = losses[model.model]
  if (loss)
    return {
      init: (params) => [optimiser.init(params)],
      step: ({ params, buffers, optimisers }, batch) => {
        const [value, grads] = lossAndGradients((w) => loss(w, batch, model.hyper))(params)
        const next = optimiser.update(params, grads, optimisers[0]!)
        return { losses: [value], state: { params: next.params, buffers, optimisers: [next.state] } }
      },
    }
  const game = adversarial[model.model]
  if (game === undefined) throw new Unsupported(`model ${model.model}`)
  const against = (logits: Tensor, target: 0 | 1): Tensor =>
    binaryCrossEntropyWithLogits(logits, T.fullLike(logits, target)) as Tensor
  return {
    init: (params) => [optimiser.init(pick(params, 'd_')), optimiser.init(pick(params, 'g_'))],
    step: ({ params, buffers, optimisers }, batch) => {
      const [d, g] = [pick(params, 'd_'), pick(params, 'g_')]
      const [real, z] = [batch['real']!, batch['z']!]
      const [fake, moved] = game.generate(g, buffers, z)
      const [lossD, gradD] = lossAndGradients(
        (w) =>
          T.add(
            against(game.discriminate(w, real), 1),
            against(game.discriminate(w, T.stopGradient(fake)), 0),
          ) as Tensor,
      )(d)
      const nextD = optimiser.update(d, gradD, optimisers[0]!)
      const [[lossG, after], gradG] = withBuffers((w) => {
        const [again, last] = game.generate(w, moved, z)
        return [against(game.discriminate(nextD.params, again), 1), last]
      }, g)
      const nextG = optimiser.update(g, gradG, optimisers[1]!)
      return {
        losses: [lossD, lossG],
        state: {
          params: { ...nextD.params, ...nextG.params },
          buffers: after,
          optimisers: [nextD.state, nextG.state],
        },
      }
    },
  }
}
