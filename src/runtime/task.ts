/** The runtime as TaskEither: the same functions, with errors as values. */
import * as TE from '#fp/TaskEither'
import type { Plan } from '../../codegen/plan/plan.ts'
import type { HostArray } from '../lang/dtype.ts'
import { type RuntimeError, TensorloomError } from '../lang/errors.ts'
import type { Argument } from './argument.ts'
import type { Device } from './device.ts'
import * as execute from './execute.ts'
import * as opening from './open-device.ts'
import type { Output } from './resident.ts'

/** Whatever was thrown, as the typed error it carries; anything else is a bug of ours and stays visible as such. */
const errorIn = (e: unknown): RuntimeError => {
  if (e instanceof TensorloomError) return e.error as RuntimeError
  return { tag: 'ValidationError', message: String(e), hint: 'this is a bug of tensorloom' }
}

/** Opens a device; see `openDevice`. */
export const openDevice = (options: opening.DeviceOptions = {}): TE.TaskEither<RuntimeError, Device> =>
  TE.tryCatch(() => opening.openDevice(options), errorIn)

/** Loads a plan on a device; see `loadPlan`. */
export const loadPlan =
  (on: Device) =>
  (plan: Plan): TE.TaskEither<RuntimeError, execute.Executable> =>
    TE.tryCatch(() => execute.loadPlan(on, plan), errorIn)

/** Runs a program; see `Executable.run`. */
export const run =
  (...args: readonly Argument[]) =>
  (program: execute.Executable): TE.TaskEither<RuntimeError, readonly Output[]> =>
    TE.tryCatch(() => program.run(args), errorIn)

/** Reads a result; see `Output.read`. */
export const read = (output: Output): TE.TaskEither<RuntimeError, HostArray> =>
  TE.tryCatch(() => output.read(), errorIn)
