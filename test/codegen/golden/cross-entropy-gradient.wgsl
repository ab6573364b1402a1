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
  let m = select(b, a, (a > b) | ((bitcast<vec4<u32>>(a) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u)));
  return bitcast<vec4<f32>>(select(select(bitcast<vec4<u32>>(m), bitcast<vec4<u32>>(a) & bitcast<vec4<u32>>(b), a == b), bitcast<vec4<u32>>(b), ((bitcast<vec4<u32>>(b) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u))));
}

fn tl_exp_4(x: vec4<f32>) -> vec4<f32> {
  let c = clamp(x, vec4<f32>(-104.0f), vec4<f32>(89.0f));
  let n = floor(c * 0x1.715476p+0f + 0.5f);
  let r = (c - n * 0x1.63p-1f) - n * -0x1.bd0106p-13f;
  let p = 1.0f + (r + r * r * (0.5f + r * (0x1.55548ap-3f + r * (0x1.5554bap-5f + r * (0x1.123f8cp-7f + r * 0x1.6d815ep-10f)))));
  let k = vec4<i32>(n);
  let h = k >> vec4<u32>(1u);
  let y = p * bitcast<vec4<f32>>((h + vec4<i32>(127i)) << vec4<u32>(0x17u)) * bitcast<vec4<f32>>((k - h + vec4<i32>(127i)) << vec4<u32>(0x17u));
  return bitcast<vec4<f32>>(select(select(bitcast<vec4<u32>>(y), vec4<u32>(0x7f800000u), x > vec4<f32>(0x1.62e43p+6f)), bitcast<vec4<u32>>(x), ((bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u))));
}

fn tl_log_4(x: vec4<f32>) -> vec4<f32> {
  let u = bitcast<vec4<u32>>(x);
  let small = u < vec4<u32>(0x800000u);
  let v = select(u, bitcast<vec4<u32>>(vec4<f32>(u)), small) - vec4<u32>(0x3f3504f3u);
  let k = vec4<f32>(bitcast<vec4<i32>>(v) >> vec4<u32>(0x17u)) - select(vec4<f32>(0.0f), vec4<f32>(149.0f), small);
  let f = bitcast<vec4<f32>>((v & vec4<u32>(0x7fffffu)) + vec4<u32>(0x3f3504f3u)) - 1.0f;
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
    var acc11: vec4<f32> = vec4<f32>(0.0f);
    for (var n12 = 0u; n12 < 10u; n12++) {
      let v13 = vec4<f32>(b1[x4 + n12], b1[(x4 + n12) + 10u], b1[(x4 + n12) + 20u], b1[(x4 + n12) + 30u]);
      let v14 = v13 - acc2;
      let v15 = tl_exp_4(v14);
      acc11 = acc11 + v15;
    }
    let v16 = tl_log_4(acc11);
    let v17 = v10 - v16;
    let v18 = -v17;
    let v19 = select(v18, vec4<f32>(0.0f), v7);
    var acc20: vec4<f32> = vec4<f32>(0.0f);
    for (var n21 = 0u; n21 < 12u; n21++) {
      let v22 = b0[n21];
      let v23 = v22 == vec4<i32>(-100i);
      let v24 = !v23;
      let v25 = vec4<f32>(v24);
      acc20 = acc20 + v25;
    }
    let v26 = (acc20.x + acc20.y) + (acc20.z + acc20.w);
    let v27 = !v7;
    let v28 = vec4<f32>(v27);
    let v29 = v28 / vec4<f32>(v26);
    let v30 = v19 * v29;
    b2[g1] = v30;
    let v31 = select(v29, vec4<f32>(0.0f), v7);
    let v32 = -v31;
    let v33 = v31 / acc11;
    for (var n34 = 0u; n34 < 10u; n34++) {
      let v35 = i32(n34);
      let v36 = v8 == vec4<i32>(v35);
      let v37 = select(vec4<f32>(0.0f), v32, v36);
      var acc38: vec4<f32> = vec4<f32>(0.0f);
      acc38 = acc38 + v37;
      let v39 = vec4<f32>(b1[x4 + n34], b1[(x4 + n34) + 10u], b1[(x4 + n34) + 20u], b1[(x4 + n34) + 30u]);
      let v40 = v39 - acc2;
      let v41 = tl_exp_4(v40);
      let v42 = v33 * v41;
      let v43 = acc38 + v42;
      b3[x4 + n34] = v43.x;
      b3[(x4 + n34) + 10u] = v43.y;
      b3[(x4 + n34) + 20u] = v43.z;
      b3[(x4 + n34) + 30u] = v43.w;
    }
  }
}

// kernel 1: reduce
// reduce
@group(0) @binding(0) var<storage, read> b0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> b1: array<f32>;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 8u) + localIndex;
  if thread0 < 1u {
    var acc1: vec4<f32> = vec4<f32>(0.0f);
    for (var n2 = 0u; n2 < 12u; n2++) {
      let v3 = b0[n2];
      acc1 = acc1 + v3;
    }
    let v4 = (acc1.x + acc1.y) + (acc1.z + acc1.w);
    b1[0u] = v4;
  }
}
