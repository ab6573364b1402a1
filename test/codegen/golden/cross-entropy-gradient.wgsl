// kernel 0 on 2 workgroups of 8
// kernel 1 on 1 workgroups of 8

// kernel 0: mul_add
// mul_add
@group(0) @binding(0) var<storage, read> b0: array<vec4<i32>>;
@group(0) @binding(1) var<storage, read> b1: array<f32>;
@group(0) @binding(2) var<storage, read_write> b2: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> b3: array<f32>;

fn tl_bits(u: u32) -> f32 {
  return bitcast<f32>(u);
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

fn tl_log_4(x: vec4<f32>) -> vec4<f32> {
  let u = bitcast<vec4<u32>>(x);
  let small = u < vec4<u32>(0x800000u);
  let v = select(u, bitcast<vec4<u32>>(vec4<f32>(u)), small) - 0x3f3504f3u;
  let k = vec4<f32>(bitcast<vec4<i32>>(v) >> vec4<u32>(23u)) - select(vec4<f32>(0.0f), vec4<f32>(149.0f), small);
  let f = bitcast<vec4<f32>>((v & vec4<u32>(0x7fffffu)) + 0x3f3504f3u) - 1.0f;
  let s = f / (2.0f + f);
  let z = s * s;
  let q = 0.5f * f * f;
  let w = s * (q + z * (0x1.555554p-1f + z * (0x1.999c26p-2f + z * (0x1.23d3dcp-2f + z * 0x1.f13c4cp-3f))));
  let y = k * 0x1.62e3p-1f + (f - (q - (w + k * 0x1.2fefa2p-17f)));
  return bitcast<vec4<f32>>(select(select(select(bitcast<vec4<u32>>(y), u, u >= vec4<u32>(0x7f800000u)), vec4<u32>(0x7fc00000u), u > vec4<u32>(0x80000000u)), vec4<u32>(0xff800000u), (u << vec4<u32>(1u)) == vec4<u32>(0u)));
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 8u) + localIndex;
  if thread0 < 12u {
    let g1 = thread0;
    var acc2: vec4<f32> = vec4<f32>(tl_bits(0xff800000u));
    let x4 = g1 * 40u;
    for (var n3 = 0u; n3 < 10u; n3++) {
      let v5 = vec4<f32>(b1[x4 + n3], b1[(x4 + n3) + 10u], b1[(x4 + n3) + 20u], b1[(x4 + n3) + 30u]);
      acc2 = tl_max_4(acc2, v5);
    }
    let v6 = b0[g1];
    let v7 = v6 == vec4<i32>(-100i);
    let v8 = select(v6, vec4<i32>(0i), v7);
    let v9 = vec4<f32>(b1[(g1 * 40u) + min(u32(v8.x), 9u)], b1[((g1 * 40u) + min(u32(v8.y), 9u)) + 10u], b1[((g1 * 40u) + min(u32(v8.z), 9u)) + 20u], b1[((g1 * 40u) + min(u32(v8.w), 9u)) + 30u]);
    let v10 = v9 - acc2;
    var acc11: vec4<f32> = vec4<f32>(tl_bits(0x80000000u));
    for (var n12 = 0u; n12 < 2u; n12++) {
      var acc13: vec4<f32> = vec4<f32>(tl_bits(0x80000000u));
      for (var n14 = n12 * 8u; n14 < min(((n12 * 8u) + 8u), 10u); n14++) {
        let v15 = vec4<f32>(b1[x4 + n14], b1[(x4 + n14) + 10u], b1[(x4 + n14) + 20u], b1[(x4 + n14) + 30u]);
        let v16 = v15 - acc2;
        let v17 = tl_exp_4(v16);
        acc13 = acc13 + v17;
      }
      acc11 = acc11 + acc13;
    }
    let v18 = tl_log_4(acc11);
    let v19 = v10 - v18;
    let v20 = -v19;
    let v21 = select(v20, vec4<f32>(0.0f), v7);
    var acc22: f32 = tl_bits(0x80000000u);
    var acc23: f32 = tl_bits(0x80000000u);
    for (var n24 = 0u; n24 < 6u; n24++) {
      var acc25: f32 = tl_bits(0x80000000u);
      let x27 = n24 * 2u;
      for (var n26 = 0u; n26 < 2u; n26++) {
        let v28 = b0[x27 + n26];
        let v29 = v28 == vec4<i32>(-100i);
        let v30 = !v29;
        let v31 = vec4<f32>(v30);
        acc25 = (((acc25 + v31.x) + v31.y) + v31.z) + v31.w;
      }
      acc23 = acc23 + acc25;
      if (n24 & 3u) == 3u {
        acc22 = acc22 + acc23;
        acc23 = tl_bits(0x80000000u);
      }
    }
    acc22 = acc22 + acc23;
    let v32 = !v7;
    let v33 = vec4<f32>(v32);
    let v34 = v33 / vec4<f32>(acc22);
    let v35 = v21 * v34;
    b2[g1] = v35;
    let v36 = select(v34, vec4<f32>(0.0f), v7);
    let v37 = -v36;
    let v38 = v36 / acc11;
    for (var n39 = 0u; n39 < 10u; n39++) {
      let v40 = i32(n39);
      let v41 = v8 == vec4<i32>(v40);
      let v42 = select(vec4<f32>(0.0f), v37, v41);
      var acc43: vec4<f32> = vec4<f32>(0.0f);
      acc43 = acc43 + v42;
      let v44 = vec4<f32>(b1[x4 + n39], b1[(x4 + n39) + 10u], b1[(x4 + n39) + 20u], b1[(x4 + n39) + 30u]);
      let v45 = v44 - acc2;
      let v46 = tl_exp_4(v45);
      let v47 = v38 * v46;
      let v48 = acc43 + v47;
      b3[x4 + n39] = v48.x;
      b3[(x4 + n39) + 10u] = v48.y;
      b3[(x4 + n39) + 20u] = v48.z;
      b3[(x4 + n39) + 30u] = v48.w;
    }
  }
}

// kernel 1: reduce
// reduce
@group(0) @binding(0) var<storage, read> b0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> b1: array<f32>;

fn tl_bits(u: u32) -> f32 {
  return bitcast<f32>(u);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 8u) + localIndex;
  if thread0 < 1u {
    var acc1: f32 = tl_bits(0x80000000u);
    var acc2: f32 = tl_bits(0x80000000u);
    for (var n3 = 0u; n3 < 6u; n3++) {
      var acc4: f32 = tl_bits(0x80000000u);
      let x6 = n3 * 2u;
      for (var n5 = 0u; n5 < 2u; n5++) {
        let v7 = b0[x6 + n5];
        acc4 = (((acc4 + v7.x) + v7.y) + v7.z) + v7.w;
      }
      acc2 = acc2 + acc4;
      if (n3 & 3u) == 3u {
        acc1 = acc1 + acc2;
        acc2 = tl_bits(0x80000000u);
      }
    }
    acc1 = acc1 + acc2;
    b1[0u] = acc1;
  }
}
