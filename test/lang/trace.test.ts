import { describe, expect, it } from 'vitest'
import { build, constant, freshInputs, typeOf } from '../../src/lang/build.ts'
import type { Node } from '../../src/lang/ir.ts'
import { closeGraph, dependents, instantiate, substitute, trace, traceTree } from '../../src/lang/trace.ts'
import { nodeOf, type Tensor } from '../../src/lang/types/tensor.ts'

const vector = { shape: [3], dtype: 'f32' } as const
const mul = (a: Node, b: Node): Node => build.mul([a, b], {})
const add = (a: Node, b: Node): Node => build.add([a, b], {})

describe('trace', () => {
  it('runs the function on fresh inputs, never on an equal argument', () => {
    const [x] = freshInputs([vector])
    const graph = trace(([w]) => [mul(w!, x!)], [vector])
    expect(graph.outputs[0]!.args).toEqual([graph.inputs[0], x])
    expect(graph.inputs[0]).not.toBe(x)
    expect(instantiate(graph, [x!])).toEqual([mul(x!, x!)])
  })

  it('closes over what it captures, at the largest outer nodes', () => {
    const [x, y] = freshInputs([vector, vector])
    const outer = build.exp([add(x!, y!)], {})
    const constantPart = build.exp([constant(vector, [1, 2, 3])], {})
    const open = trace(([w]) => [add(mul(w!, outer), constantPart), y!], [vector])
    const { graph, captured } = closeGraph(open)
    expect(captured).toEqual([outer, y])
    expect(graph.inputs.map((n) => n.params)).toEqual([0, 1, 2].map((index) => ({ trace: 0, index, ...vector })))
    expect(graph.outputs[1]).toBe(graph.inputs[2])
    expect(instantiate(graph, [x!, ...captured])).toEqual([add(mul(x!, outer), constantPart), y])
  })

  it('makes equal functions equal graphs', () => {
    const body = ([w]: readonly Node[]): readonly Node[] => [build.sin([mul(w!, w!)], {})]
    const once = closeGraph(trace(body, [vector]))
    const again = closeGraph(trace(body, [vector]))
    expect(again.graph.outputs[0]).toBe(once.graph.outputs[0])
    expect(again.graph.inputs).toEqual(once.graph.inputs)
  })

  it('closes nested functions, canonical inputs inside canonical inputs', () => {
    const inner = closeGraph(trace(([a, b]) => [build.sub([a!, b!], {})], [vector, vector])).graph
    const outer = closeGraph(trace(([a, b]) => instantiate(inner, [b!, a!]), [vector, vector])).graph
    const [p, q] = outer.inputs
    expect(outer.outputs[0]).toBe(build.sub([q!, p!], {}))
    // Canonical inputs may be arguments of a canonical graph: substitution is simultaneous.
    expect(instantiate(outer, [q!, p!])[0]).toBe(build.sub([p!, q!], {}))
  })

  it('keeps ill-typed nodes with their own error', () => {
    const graph = trace(([w]) => [build.add([w!, constant({ shape: [2], dtype: 'f32' }, [1, 2])], {})], [vector])
    const [x] = freshInputs([vector])
    expect(substitute(graph.outputs, graph.inputs, [x!])[0]).toBe(graph.outputs[0])
  })

  it('refuses arguments of another type', () => {
    const graph = trace(([w]) => [w!], [vector])
    const [x] = freshInputs([{ shape: [4], dtype: 'f32' }])
    expect(() => instantiate(graph, [x!])).toThrow('argument 0 is f32[4]')
  })

  it('looks at nothing older than the inputs, and only at what depends on them', () => {
    const [x] = freshInputs([vector])
    let old = x as Node
    for (let i = 0; i < 1000; i++) old = add(old, x!)
    const [w] = freshInputs([vector])
    const out = add(mul(w!, old), build.exp([old], {}))
    expect(dependents([out], [w!])).toEqual([w, mul(w!, old), out])
  })

  it('walks graphs deeper than the stack', () => {
    const graph = trace(
      ([w]) => {
        let n = w!
        for (let i = 0; i < 100_000; i++) n = build.sin([n], {})
        return [n]
      },
      [vector],
    )
    const order = dependents(graph.outputs, graph.inputs)
    expect(order.length).toBe(100_001)
    expect(closeGraph(graph).captured).toEqual([])
  })
})

describe('traceTree', () => {
  it('takes specs or tensors and flattens trees on both sides', () => {
    const f = (p: { w: Tensor; b: Tensor }, x: Tensor): unknown => ({ y: [nodeOf(p.w), nodeOf(x)], z: nodeOf(p.b) })
    const scalar = { shape: [], dtype: 'i32' }
    const traced = traceTree(f as never, [{ w: vector, b: scalar }, vector])
    expect(traced.inputPaths).toEqual(['[0].b', '[0].w', '[1]'])
    expect(traced.outputPaths).toEqual(['y[0]', 'y[1]', 'z'])
    expect(traced.graph.outputs).toEqual([traced.graph.inputs[1], traced.graph.inputs[2], traced.graph.inputs[0]])
    expect(typeOf(traced.graph.inputs[0]!)).toEqual(scalar)
  })

  it('says where a result is no tensor', () => {
    expect(() => traceTree((() => ({ loss: 3 })) as never, [vector])).toThrow('loss is the number 3')
  })
})
