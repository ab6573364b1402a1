// kernel 0 on 12 workgroups of 64

// kernel 0: add
// add
@group(0) @binding(0) var<storage, read> b0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b1: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b2: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> b3: array<vec4<f32>>;

fn tl_rsqrt(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  return bitcast<f32>(select(select(select(select(bitcast<u32>(1.0f / sqrt(abs(x))), 0x7fc00000u, u > 0x80000000u), u | 0x7f800000u, (u << 1u) == 0u), 0u, u == 0x7f800000u), u, ((bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u)));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 64u) + localIndex;
  if thread0 < 768u {
    let g1 = thread0 % 24u;
    let t2 = thread0 / 24u;
    let g3 = t2;
    var acc4: vec4<f32> = vec4<f32>(0.0f);
    let x6 = g3 * 24u;
    for (var n5 = 0u; n5 < 24u; n5++) {
      let v7 = b0[x6 + n5];
      acc4 = acc4 + v7;
    }
    let v8 = (acc4.x + acc4.y) + (acc4.z + acc4.w);
    let v9 = v8 * 0x1.555556p-7f;
    let v10 = b0[(g3 * 24u) + g1];
    let v11 = v10 - vec4<f32>(v9);
    var acc12: vec4<f32> = vec4<f32>(0.0f);
    for (var n13 = 0u; n13 < 24u; n13++) {
      let v14 = b0[x6 + n13];
      let v15 = v14 - vec4<f32>(v9);
      let v16 = v15 * v15;
      acc12 = acc12 + v16;
    }
    let v17 = (acc12.x + acc12.y) + (acc12.z + acc12.w);
    let v18 = v17 * 0x1.555556p-7f;
    let v19 = v18 + 0x1.4f8b58p-17f;
    let v20 = tl_rsqrt(v19);
    let v21 = v11 * vec4<f32>(v20);
    let v22 = b1[g1];
    let v23 = v21 * v22;
    let v24 = b2[g1];
    let v25 = v23 + v24;
    b3[(g3 * 24u) + g1] = v25;
  }
}
