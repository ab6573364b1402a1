#!/usr/bin/env node
/** The command `tensorloom`. Exit codes: 0 done, 1 failed, 2 not understood. */
import { missingTool } from './tools.ts'

const failed = (e: unknown): 1 => {
  const missing = missingTool(e)
  if (missing === undefined) throw e
  process.stderr.write(`tensorloom: ${missing}\n`)
  return 1
}

// Not awaited at the top level: `require` of this module must stay possible. A user's file may leave timers or a GPU
// behind, so the process ends here; stdout has been flushed by then.
import('./command-line.ts').then(({ main }) => main(process.argv), failed).then((code) => process.exit(code))
