/** The modules that `tensorloom build` wrote of programs.ts, all on one device. */

/** A result: it stays where it was computed until it is read. */
interface Value {
  readonly read: () => Promise<ArrayLike<number>>
}

/** Parameters, and what the optimiser remembers: the page hands them on and never looks inside. */
export interface State {
  readonly params: { readonly brand: 'params' }
  readonly state: unknown
}

/** The programs, typed as programs.ts has them. Images and labels are bytes, as the files of MNIST have them. */
interface Runs {
  readonly start: (key: readonly number[]) => Promise<State>
  readonly train: (state: State, images: Uint8Array, labels: Uint8Array) => Promise<{ next: State; loss: Value }>
  readonly test: (params: State['params'], images: Uint8Array, labels: Uint8Array) => Promise<Value>
  readonly read: (params: State['params'], image: Uint8Array) => Promise<Value>
}

export interface Programs extends Runs {
  /** What they run on, in words. */
  readonly device: string
}

type Target = 'webgpu' | 'cpu'

interface Loaded<Run> {
  readonly target: Target
  readonly device?: GPUDevice
  readonly run: Run
}

/** The module beside the page. What runs where is picked by `load`: WebGPU where it has hardware, else the processor. */
const load = async <K extends keyof Runs>(name: K, on: Target | undefined): Promise<Loaded<Runs[K]>> => {
  const url = new URL(`programs/${name}.js`, document.baseURI).href
  const module = (await import(/* @vite-ignore */ url)) as { load: (on?: Target) => Promise<Loaded<Runs[K]>> }
  return module.load(on)
}

const describe = ({ target, device }: Loaded<unknown>): string => {
  if (target === 'cpu') {
    const threads = crossOriginIsolated ? navigator.hardwareConcurrency : 1
    return `the processor, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
  }
  const { vendor = '', architecture = '' } = device?.adapterInfo ?? {}
  return `WebGPU, ${`${vendor} ${architecture}`.trim() || 'adapter unnamed'}`
}

/** Loads all four: on what the address asks for (`?device=webgpu` or `cpu`), else on the best there is. */
export const loadPrograms = async (): Promise<Programs> => {
  const asked = new URLSearchParams(location.search).get('device')
  if (asked !== null && asked !== 'webgpu' && asked !== 'cpu')
    throw new Error(`?device=${asked}: it can be webgpu or cpu`)
  const train = await load('train', asked ?? undefined)
  const [start, test, read] = await Promise.all([
    load('start', train.target),
    load('test', train.target),
    load('read', train.target),
  ])
  return { device: describe(train), start: start.run, train: train.run, test: test.run, read: read.run }
}
