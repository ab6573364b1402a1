/** Run by Deno (wgpu, naga): reads a JSON list of WGSL modules and prints, as JSON, what each is refused for. */
const texts = JSON.parse(new TextDecoder().decode(Deno.readFileSync(Deno.args[0])))
const adapter = await navigator.gpu.requestAdapter()
const device = await adapter.requestDevice()
const refusals = []
for (const code of texts) {
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ code })
  device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } })
  const error = await device.popErrorScope()
  if (error) refusals.push(`${code.split('\n')[0]} ${error.message}`)
}
console.log(JSON.stringify({ compiled: texts.length, refusals }))
Deno.exit(0)
