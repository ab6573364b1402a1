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
    let v2 = b0[g1];
    let v3 = v2 == vec4<i32>(-100i);
    let v4 = select(v2, vec4<i32>(0i), v3);
    let v5 = vec4<f32>(b1[(g1 * 40u) + min(u32(v4.x), 9u)], b1[((g1 * 40u) + min(u32(v4.y), 9u)) + 10u], b1[((g1 * 40u) + min(u32(v4.z), 9u)) + 20u], b1[((g1 * 40u) + min(u32(v4.w), 9u)) + 30u]);
    var acc6: vec4<f32> = vec4<f32>(tl_bits(0xff800000u));
    let x8 = g1 * 40u;
    let x9 = g1 * 40u;
    let x10 = g1 * 40u;
    let x11 = g1 * 40u;
    for (var n7 = 0u; n7 < 10u; n7++) {
      let v12 = vec4<f32>(b1[x8 + n7], b1[(x9 + n7) + 10u], b1[(x10 + n7) + 20u], b1[(x11 + n7) + 30u]);
      acc6 = tl_max_4(acc6, v12);
    }
    let v13 = v5 - acc6;
    var acc14: vec4<f32> = vec4<f32>(0.0f);
    for (var n15 = 0u; n15 < 10u; n15++) {
      let v16 = vec4<f32>(b1[x8 + n15], b1[(x9 + n15) + 10u], b1[(x10 + n15) + 20u], b1[(x11 + n15) + 30u]);
      let v17 = v16 - acc6;
      let v18 = tl_exp_4(v17);
      acc14 = acc14 + v18;
    }
    let v19 = tl_log_4(acc14);
    let v20 = v13 - v19;
    let v21 = -v20;
    let v22 = select(v21, vec4<f32>(0.0f), v3);
    let v23 = !v3;
    let v24 = vec4<f32>(v23);
    var acc25: vec4<f32> = vec4<f32>(0.0f);
    for (var n26 = 0u; n26 < 12u; n26++) {
      let v27 = b0[n26];
      let v28 = v27 == vec4<i32>(-100i);
      let v29 = !v28;
      let v30 = vec4<f32>(v29);
      acc25 = acc25 + v30;
    }
    let v31 = (acc25.x + acc25.y) + (acc25.z + acc25.w);
    let v32 = v24 / vec4<f32>(v31);
    let v33 = v22 * v32;
    b2[g1] = v33;
    let v34 = select(v32, vec4<f32>(0.0f), v3);
    let v35 = -v34;
    let v36 = v34 / acc14;
    for (var n37 = 0u; n37 < 10u; n37++) {
      let v38 = i32(n37);
      let v39 = v4 == vec4<i32>(v38);
      let v40 = select(vec4<f32>(0.0f), v35, v39);
      var acc41: vec4<f32> = vec4<f32>(0.0f);
      acc41 = acc41 + v40;
      let v42 = vec4<f32>(b1[x8 + n37], b1[(x9 + n37) + 10u], b1[(x10 + n37) + 20u], b1[(x11 + n37) + 30u]);
      let v43 = v42 - acc6;
      let v44 = tl_exp_4(v43);
      let v45 = v36 * v44;
      let v46 = acc41 + v45;
      b3[x8 + n37] = v46.x;
      b3[(x9 + n37) + 10u] = v46.y;
      b3[(x10 + n37) + 20u] = v46.z;
      b3[(x11 + n37) + 30u] = v46.w;
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
