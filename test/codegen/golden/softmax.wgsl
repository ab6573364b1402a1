// kernel 0 on 25 workgroups of 64

// kernel 0: div
// div
@group(0) @binding(0) var<storage, read> b0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> b1: array<vec4<f32>>;

fn tl_bits(u: u32) -> f32 {
  return bitcast<f32>(u);
}

fn tl_max(a: f32, b: f32) -> f32 {
  return bitcast<f32>(select(select(select(bitcast<u32>(b), bitcast<u32>(a) & bitcast<u32>(b), a == b), bitcast<u32>(a), (a > b) | ((bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u)), bitcast<u32>(b), (bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u));
}

fn tl_max_4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(select(select(select(bitcast<vec4<u32>>(b), bitcast<vec4<u32>>(a) & bitcast<vec4<u32>>(b), a == b), bitcast<vec4<u32>>(a), (a > b) | ((bitcast<vec4<u32>>(a) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u))), bitcast<vec4<u32>>(b), (bitcast<vec4<u32>>(b) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u)));
}

fn tl_exp_4(x: vec4<f32>) -> vec4<f32> {
  let c = clamp(x, vec4<f32>(-104.0f), vec4<f32>(89.0f));
  let n = floor(c * 0x1.715476p+0f + 0.5f);
  let r = c - n * 0x1.63p-1f - n * -0x1.bd0106p-13f;
  let p = 1.0f + (r + r * r * (0.5f + r * (0x1.55548ap-3f + r * (0x1.5554bap-5f + r * (0x1.123f8cp-7f + r * 0x1.6d815ep-10f)))));
  let k = vec4<i32>(n);
  let h = k >> vec4<u32>(1u);
  let y = p * bitcast<vec4<f32>>((h + 127i) << vec4<u32>(23u)) * bitcast<vec4<f32>>((k - h + 127i) << vec4<u32>(23u));
  return bitcast<vec4<f32>>(select(select(bitcast<vec4<u32>>(y), vec4<u32>(0x7f800000u), x > vec4<f32>(0x1.62e43p+6f)), bitcast<vec4<u32>>(x), (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u)));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 64u) + localIndex;
  if thread0 < 1600u {
    let g1 = thread0 % 25u;
    let t2 = thread0 / 25u;
    let g3 = t2;
    var acc4: vec4<f32> = vec4<f32>(tl_bits(0xff800000u));
    let x6 = g3 * 25u;
    for (var n5 = 0u; n5 < 25u; n5++) {
      let v7 = b0[x6 + n5];
      acc4 = tl_max_4(acc4, v7);
    }
    let v8 = tl_max(tl_max(acc4.x, acc4.y), tl_max(acc4.z, acc4.w));
    let v9 = b0[(g3 * 25u) + g1];
    let v10 = v9 - vec4<f32>(v8);
    let v11 = tl_exp_4(v10);
    var acc12: f32 = tl_bits(0x80000000u);
    var acc13: f32 = tl_bits(0x80000000u);
    for (var n14 = 0u; n14 < 13u; n14++) {
      var acc15: f32 = tl_bits(0x80000000u);
      for (var n16 = n14 * 2u; n16 < min(((n14 * 2u) + 2u), 25u); n16++) {
        let v17 = b0[x6 + n16];
        let v18 = v17 - vec4<f32>(v8);
        let v19 = tl_exp_4(v18);
        acc15 = (((acc15 + v19.x) + v19.y) + v19.z) + v19.w;
      }
      acc13 = acc13 + acc15;
      if (n14 & 3u) == 3u {
        acc12 = acc12 + acc13;
        acc13 = tl_bits(0x80000000u);
      }
    }
    acc12 = acc12 + acc13;
    let v20 = v11 / vec4<f32>(acc12);
    b1[(g3 * 25u) + g1] = v20;
  }
}
