/** What is read from users' WGSL, and the names that are changed in it. */
import { describe, expect, it } from 'vitest'
import { TensorloomError } from '../../src/lang/errors.ts'
import { checkText, placedText, signatureOf } from '../../src/lang/wgsl-text.ts'

describe('signatureOf', () => {
  it('reads parameters and result, whatever stands around them', () => {
    const text = '/* fn f(x: u32) -> u32 { /* nested */ } */ // fn f(\nfn g() {}\nfn f ( x : f32 ,\n y:i32, ) ->bool {}'
    expect(signatureOf('f', text)).toEqual({ takes: ['f32', 'i32'], gives: 'bool' })
    expect(signatureOf('g', text)).toEqual({ takes: [], gives: undefined })
  })
  it.each([
    'fn h(x: f32) -> f32 {}',
    'fn f(x: vec2<f32>) -> f32 {}',
    'fn f(x: f32) -> vec2<f32> {}',
    'fn ff(x: f32) -> f32 {}',
    '// fn f(x: f32) -> f32 {}',
  ])('finds nothing in %s', (text) => {
    expect(signatureOf('f', text)).toBeUndefined()
  })
})

describe('placedText', () => {
  it('puts a prefix before what is declared outside of functions, and nothing else', () => {
    const text = `
      const k = 2.0; // k
      struct P { k: f32 }
      alias Q = P;
      var<workgroup> w: array<f32, 2>;
      fn f(x: f32) -> f32 {
        let p = P(x);
        return p.k * k + 0x1k + max(x, w[0]);
      }`
    expect(placedText(text, 'u_').split('\n')).toEqual([
      'const u_k = 2.0;',
      'struct u_P { u_k: f32 }',
      'alias u_Q = u_P;',
      'var<workgroup> u_w: array<f32, 2>;',
      'fn u_f(x: f32) -> f32 {',
      '  let p = u_P(x);',
      '  return p.k * u_k + 0x1k + max(x, u_w[0]);',
      '}',
    ])
  })
  it('exchanges tensors for variables, and asks for their sizes by name', () => {
    const names = new Map([
      ['x', 'b0'],
      ['x_size', 'n'],
    ])
    expect(placedText('fn f() { let s = v.x + x[arrayLength( & x ) - x_size]; }', 'u_', names)).toBe(
      'fn u_f() { let s = v.x + b0[n - n]; }',
    )
  })
})

describe('checkText', () => {
  const refused = (...args: Parameters<typeof checkText>): string => {
    try {
      checkText(...args)
    } catch (e) {
      if (e instanceof TensorloomError) return e.message.split('\n')[0]!
    }
    return 'accepted'
  }
  it.each([
    ['2x', '', [], "op: '2x' is no name in WGSL"],
    ['f', '@group(0) @binding(0) var<storage> x: array<f32>;', [], "op: the text of f has '@group'"],
    ['f', '  enable f16;', [], "op: the text of f has 'enable'"],
    ['f', 'fn f() {}', ['x', 'x'], 'op: two tensors of f are called x'],
    ['f', 'fn f() { let x = 1; }', ['x'], 'op: the text of f declares x, the name of a tensor'],
    ['f', 'fn f(x: u32) {}', ['x'], 'op: the text of f declares x, the name of a tensor'],
    ['f', 'fn f() { y[0] = x[0]; } // @group', ['x', 'y'], 'accepted'],
  ])('%s %s', (name, text, tensors, message) => {
    expect(refused('op', name, text, tensors)).toBe(message)
  })
})
