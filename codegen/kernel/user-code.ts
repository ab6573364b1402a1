/** Users' own code in kernels: text of one language, which other targets run by its JavaScript reference. */
import type { KExpr, Kernel, KStmt } from './kernel.ts'
import { blocksIn, expressionsOf, operandsOf } from './parts.ts'

const isCalled = (e: KExpr): boolean => e.kind === 'call' || operandsOf(e).some(isCalled)

const isCalledIn = (block: readonly KStmt[]): boolean =>
  block.some((s) => expressionsOf(s).some(isCalled) || blocksIn(s).some(isCalledIn))

/** Whether a kernel is a user's, or calls a user's function. */
export const hasUserCode = ({ text, body }: Kernel): boolean => text !== undefined || isCalledIn(body)
