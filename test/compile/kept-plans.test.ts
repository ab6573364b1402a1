/** What stays in memory after compiling: plans, kernels and solutions, and nothing of the user's graph. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { cachedPlans, forgetPlans } from '../../src/compile/plan-cache.ts'
import * as T from '../../src/index.ts'
import { nodeOf } from '../../src/lang/types/tensor.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Compiles a program and lets go of it; a node of its graph, as far as it is still there. */
const compiled = (): WeakRef<object> => {
  let node: WeakRef<object> | undefined
  const f = (x: T.Tensor): T.Tensor => {
    const y = T.exp(T.mul(x, 1.2345)) as T.Tensor
    node = new WeakRef(nodeOf(y))
    return T.add(y, 1) as T.Tensor
  }
  const { plan } = T.orThrow(T.compile(f as never, [T.spec([8, 12])]))
  expect(plan.prediction.bytes).toBeGreaterThan(0)
  return node!
}

test('a kept plan keeps no graph alive', async () => {
  forgetPlans()
  const node = compiled()
  expect(cachedPlans().plans).toBe(1)
  for (let i = 0; i < 20 && node.deref(); i++) {
    await new Promise((done) => setTimeout(done, 20))
    gc()
  }
  expect(cachedPlans().plans).toBe(1)
  expect(node.deref()).toBeUndefined()
})
