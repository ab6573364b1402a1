/** MNIST's files as they are: a header, then a byte a pixel or a byte a label. */

export interface Digits {
  readonly images: Uint8Array
  readonly labels: Uint8Array
}

const bytesOf = async (file: string, header: number): Promise<Uint8Array> => {
  const answer = await fetch(new URL(`digits/${file}`, document.baseURI))
  if (!answer.ok) throw new Error(`The digits cannot be loaded: ${file}: ${answer.status} ${answer.statusText}`)
  return new Uint8Array(await answer.arrayBuffer(), header)
}

/** The digits to learn from, or those to be tested on. */
export const fetchDigits = async (part: 'train' | 't10k'): Promise<Digits> => {
  const [images, labels] = await Promise.all([
    bytesOf(`${part}-images-idx3-ubyte`, 16),
    bytesOf(`${part}-labels-idx1-ubyte`, 8),
  ])
  return { images, labels }
}

/** How many batches of `size` digits there are; those left over are left out. */
export const batchCount = ({ labels }: Digits, size: number): number => Math.floor(labels.length / size)

/** Batch `n`, and after the last the first again: the files are in random order as they are. Nothing is copied. */
export const batchOf = (digits: Digits, size: number, n: number): Digits => {
  const at = size * (n % batchCount(digits, size))
  return {
    images: digits.images.subarray(784 * at, 784 * (at + size)),
    labels: digits.labels.subarray(at, at + size),
  }
}
