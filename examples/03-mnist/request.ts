/** What the command line of `npm start` asks for. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { deviceOf } from '../course/example.ts'
import type { Settings } from './run.ts'

/** What the command line asks for. */
export interface Request {
  readonly settings: Settings
  readonly json: boolean
  readonly out: string
}

const wholeNumber = (name: string, text: string, least: number): number => {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text)
  throw new Error(`--${name} takes a whole number${least > 0 ? ` from ${least} on` : ''}, not ${text}`)
}

/** The request that `args` spell. Throws for an option there is not, or a number that is none. */
export const requestOf = (args: readonly string[]): Request => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      epochs: { type: 'string' },
      seed: { type: 'string', default: '42' },
      device: { type: 'string', default: 'auto' },
      out: { type: 'string', default: join('out', 'mnist') },
    },
  })
  const epochs = wholeNumber('epochs', values.epochs ?? (values.quick ? '1' : '3'), 1)
  const seed = wholeNumber('seed', values.seed, 0)
  const device = deviceOf(values.device)
  // Half of the digits once: seconds on two cores without a GPU.
  const settings = values.quick ? { epochs, seed, device, trainingDigits: 32_000 } : { epochs, seed, device }
  return { settings, json: values.json, out: values.out }
}
