/** Householder reflections on plain arrays: what qr and svd share of their meaning. */
import type { HostArray } from '../dtype.ts'

/** 2 / vᵀv for the reflector below element (k, k), whose first component is 1; 0 where the others all are: then it is I. */
const weight = (a: HostArray, rows: number, stride: number, k: number): number => {
  let sum = 0
  let isIdentity = true
  for (let i = k + 1; i < rows; i++) {
    sum += a[i * stride + k]! ** 2
    // The square of a small number may be 0.
    if (a[i * stride + k] !== 0) isIdentity = false
  }
  return isIdentity ? 0 : 2 / (1 + sum)
}

/** Applies the reflector of column k to column j, on rows k and below. */
const reflect = (a: HostArray, rows: number, stride: number, k: number, j: number, tau: number): void => {
  let sum = a[k * stride + j]!
  for (let i = k + 1; i < rows; i++) sum += a[i * stride + k]! * a[i * stride + j]!
  a[k * stride + j]! -= tau * sum
  for (let i = k + 1; i < rows; i++) a[i * stride + j]! -= tau * sum * a[i * stride + k]!
}

/** R on and above the diagonal of the first `columns` columns of `a`, reflectors below (LAPACK's geqr2, in its signs). */
export const factorise = (a: HostArray, rows: number, columns: number, stride: number): void => {
  for (let k = 0; k < Math.min(rows, columns); k++) {
    let largest = 0
    for (let i = k + 1; i < rows; i++) largest = Math.max(largest, Math.abs(a[i * stride + k]!))
    if (largest === 0) continue
    const first = a[k * stride + k]!
    const norm = Math.hypot(...Array.from({ length: rows - k }, (_, i) => a[(k + i) * stride + k]!))
    const beta = first < 0 ? norm : -norm
    for (let i = k + 1; i < rows; i++) a[i * stride + k]! /= first - beta
    a[k * stride + k] = beta
    const tau = weight(a, rows, stride, k)
    for (let j = k + 1; j < columns; j++) reflect(a, rows, stride, k, j, tau)
  }
}

/** Q, `rows` × `columns`, in place of the `reflectors` in its first columns (LAPACK's org2r). */
export const formQ = (a: HostArray, rows: number, columns: number, reflectors: number): void => {
  for (let j = reflectors; j < columns; j++) for (let i = 0; i < rows; i++) a[i * columns + j] = i === j ? 1 : 0
  for (let k = reflectors - 1; k >= 0; k--) {
    const tau = weight(a, rows, columns, k)
    for (let j = k + 1; j < columns; j++) reflect(a, rows, columns, k, j, tau)
    for (let i = 0; i < rows; i++) a[i * columns + k] = i < k ? 0 : i === k ? 1 - tau : -tau * a[i * columns + k]!
  }
}
