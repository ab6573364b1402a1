/** Names that a kernel must not use: keywords and reserved words of target languages, and names that printers use. */
// biome-ignore format: a word list
const words = `
alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop
override requires return struct switch true var while
NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class co_await
co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval constexpr constinit
crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends extern external
fallthrough filter final finally friend from fxgroup get goto groupshared highp impl implements import inline instanceof
interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new nil noexcept noinline
nointerpolation non_coherent noncoherent noperspective null nullptr of operator package packoffset partial pass patch
pixelfragment precise precision premerge priv protected pub public readonly ref regardless register reinterpret_cast
require resource restrict self set shared sizeof smooth snorm static static_assert static_cast std subroutine super target
template this thread_local throw trait try type typedef typeid typename typeof union unless unorm unsafe unsized use using
varying virtual volatile wgsl where with writeonly yield
bool f16 f32 i32 u32 vec2 vec3 vec4 array atomic ptr bitcast select fma abs all any ceil clamp countLeadingZeros floor max
min sign sqrt trunc storageBarrier workgroupBarrier
main workgroup workgroups gridIndex localIndex`

const reserved: ReadonlySet<string> = new Set(words.split(/\s+/).filter((w) => w !== ''))

/** The prefix of what a user's own text declares in a kernel, and of that kernel's bindings. */
export const textPrefix = 'u0_'

/** Whether a name is legal for a binding, array, variable or counter. */
export const isUsableName = (name: string): boolean =>
  /^[A-Za-z][A-Za-z0-9_]*$/.test(name) && !name.includes('__') && !name.startsWith('tl_') && !reserved.has(name)
