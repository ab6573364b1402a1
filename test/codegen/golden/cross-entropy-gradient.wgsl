// kernel 0 on 15 workgroups of 32
// kernel 1 on 1 workgroups of 8

// kernel 0: sub_add
// sub_add
@group(0) @binding(0) var<storage, read> b0: array<f32>;
@group(0) @binding(1) var<storage, read> b1: array<i32>;
@group(0) @binding(2) var<storage, read_write> b2: array<f32>;
@group(0) @binding(3) var<storage, read_write> b3: array<f32>;

fn tl_bits(u: u32) -> f32 {
  return bitcast<f32>(u);
}

fn tl_max(a: f32, b: f32) -> f32 {
  let m = select(b, a, (a > b) | ((bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u));
  return bitcast<f32>(select(select(bitcast<u32>(m), bitcast<u32>(a) & bitcast<u32>(b), a == b), bitcast<u32>(b), ((bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u)));
}

fn tl_exp(x: f32) -> f32 {
  let c = clamp(x, -104.0f, 89.0f);
  let n = floor(c * 0x1.715476p+0f + 0.5f);
  let r = (c - n * 0x1.63p-1f) - n * -0x1.bd0106p-13f;
  let p = 1.0f + (r + r * r * (0.5f + r * (0x1.55548ap-3f + r * (0x1.5554bap-5f + r * (0x1.123f8cp-7f + r * 0x1.6d815ep-10f)))));
  let k = i32(n);
  let h = k >> 1u;
  let y = p * bitcast<f32>((h + 127i) << 0x17u) * bitcast<f32>((k - h + 127i) << 0x17u);
  return bitcast<f32>(select(select(bitcast<u32>(y), 0x7f800000u, x > 0x1.62e43p+6f), bitcast<u32>(x), ((bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u)));
}

fn tl_log(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  let small = u < 0x800000u;
  let v = select(u, bitcast<u32>(f32(u)), small) - 0x3f3504f3u;
  let k = f32(bitcast<i32>(v) >> 0x17u) - select(0.0f, 149.0f, small);
  let f = bitcast<f32>((v & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
  let s = f / (2.0f + f);
  let z = s * s;
  let q = 0.5f * f * f;
  let w = s * (q + z * (0x1.555554p-1f + z * (0x1.999c26p-2f + z * (0x1.23d3dcp-2f + z * 0x1.f13c4cp-3f))));
  let y = k * 0x1.62e3p-1f + (f - (q - (w + k * 0x1.2fefa2p-17f)));
  return bitcast<f32>(select(select(select(bitcast<u32>(y), u, u >= 0x7f800000u), 0x7fc00000u, u > 0x80000000u), 0xff800000u, (u << 1u) == 0u));
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 32u) + localIndex;
  if thread0 < 480u {
    let g1 = thread0 % 10u;
    let t2 = thread0 / 10u;
    let g3 = t2;
    let v4 = b0[(g3 * 10u) + g1];
    var acc5: f32 = tl_bits(0xff800000u);
    let x7 = g3 * 10u;
    for (var n6 = 0u; n6 < 10u; n6++) {
      let v8 = b0[x7 + n6];
      acc5 = tl_max(acc5, v8);
    }
    let v9 = v4 - acc5;
    var acc10: f32 = 0.0f;
    for (var n11 = 0u; n11 < 10u; n11++) {
      let v12 = b0[x7 + n11];
      let v13 = v12 - acc5;
      let v14 = tl_exp(v13);
      acc10 = acc10 + v14;
    }
    let v15 = tl_log(acc10);
    let v16 = v9 - v15;
    let v17 = b1[g3];
    let v18 = i32(g1);
    let v19 = v17 == v18;
    let v20 = select(0.0f, -0x1.555556p-6f, v19);
    var acc21: f32 = 0.0f;
    acc21 = acc21 + v20;
    let v22 = 0x1.555556p-6f / acc10;
    let v23 = tl_exp(v9);
    let v24 = v22 * v23;
    let v25 = acc21 + v24;
    b2[(g3 * 10u) + g1] = v16;
    b3[(g3 * 10u) + g1] = v25;
  }
}

// kernel 1: div
// div
@group(0) @binding(0) var<storage, read> b0: array<vec4<i32>>;
@group(0) @binding(1) var<storage, read> b1: array<f32>;
@group(0) @binding(2) var<storage, read_write> b2: array<f32>;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 8u) + localIndex;
  if thread0 < 1u {
    var acc1: vec4<f32> = vec4<f32>(0.0f);
    for (var n2 = 0u; n2 < 12u; n2++) {
      let v3 = b0[n2];
      let v4 = vec4<f32>(b1[(n2 * 40u) + min(u32(v3.x), 9u)], b1[((n2 * 40u) + min(u32(v3.y), 9u)) + 10u], b1[((n2 * 40u) + min(u32(v3.z), 9u)) + 20u], b1[((n2 * 40u) + min(u32(v3.w), 9u)) + 30u]);
      let v5 = -v4;
      acc1 = acc1 + v5;
    }
    let v6 = (acc1.x + acc1.y) + (acc1.z + acc1.w);
    let v7 = v6 / 48.0f;
    b2[0u] = v7;
  }
}
