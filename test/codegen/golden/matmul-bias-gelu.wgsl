// kernel 0 on 4 workgroups of 256

// kernel 0: mul
// mul
@group(0) @binding(0) var<storage, read> b0: array<f32>;
@group(0) @binding(1) var<storage, read> b1: array<f32>;
@group(0) @binding(2) var<storage, read> b2: array<f32>;
@group(0) @binding(3) var<storage, read_write> b3: array<f32>;
var<workgroup> c16: array<f32, 528>;
var<workgroup> c19: array<vec4<f32>, 128>;

fn tl_expTimes_4(x: vec4<f32>, low: vec4<f32>, f: vec4<f32>) -> vec4<f32> {
  let c = max(x, vec4<f32>(-104.0f));
  let n = floor(c * 0x1.715476p+0f + 0.5f);
  let r = c - n * 0x1.63p-1f - n * -0x1.bd0106p-13f + low;
  let p = (1.0f + (r + r * r * (0.5f + r * (0x1.55548ap-3f + r * (0x1.5554bap-5f + r * (0x1.123f8cp-7f + r * 0x1.6d815ep-10f)))))) * f;
  let k = vec4<i32>(n);
  let h = k >> vec4<u32>(1u);
  let y = p * bitcast<vec4<f32>>((h + 127i) << vec4<u32>(23u)) * bitcast<vec4<f32>>((k - h + 127i) << vec4<u32>(23u));
  return y;
}

fn tl_erfc_4(x: vec4<f32>) -> vec4<f32> {
  let a = min(abs(x), vec4<f32>(10.5f));
  let b = max(a, vec4<f32>(0.5f));
  let d = (b - 2.0f) / (b + 2.0f);
  let h = bitcast<vec4<f32>>(bitcast<vec4<u32>>(b) & vec4<u32>(0xfffff000u));
  let f = (0x1.46e80ep+0f + d * (-0x1.7bf5eap-4f + d * (-0x1.5407b8p-3f + d * (0x1.4ff96p-3f + d * (-0x1.bc2338p-5f + d * (-0x1.068a64p-7f + d * (0x1.1c4de4p-7f + d * (0x1.2fcd92p-10f + d * (-0x1.51210cp-10f + d * -0x1.e46fc2p-13f))))))))) / (1.0f + 2.0f * b);
  let far = tl_expTimes_4(-h * h, (h - b) * (h + b), f);
  let z = a * a;
  let near = a + a * (0x1.06eba8p-3f + z * (-0x1.81274p-2f + z * (0x1.ce2d5p-4f + z * (-0x1.b7fe9p-6f + z * (0x1.542e1p-8f + z * (-0x1.a50b0ep-11f + z * 0x1.4c344ep-14f))))));
  let inner = 1.0f - select(near, -near, x < vec4<f32>(0.0f));
  let y = select(select(far, 2.0f - far, x < vec4<f32>(0.0f)), inner, a < vec4<f32>(0.5f));
  return bitcast<vec4<f32>>(select(bitcast<vec4<u32>>(y), bitcast<vec4<u32>>(x), (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u)));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let group0 = gridIndex;
  if group0 < 4u {
    let l1 = localIndex & 7u;
    let l2 = localIndex >> 3u;
    let g3 = group0 & 1u;
    let e4 = min((g3 * 32u), 21u);
    let e5 = e4 + (l1 * 4u);
    let t6 = group0 >> 1u;
    let g7 = t6;
    let e8 = min((g7 * 32u), 29u);
    let e9 = e8 + l2;
    var acc10: vec4<f32> = vec4<f32>(0.0f);
    let x14 = e8 * 37u;
    for (var n11 = 0u; n11 < 37u; n11 += 16u) {
      for (var n13 = localIndex; n13 < 512u; n13 += 256u) {
        let v15 = b0[(x14 + ((n13 >> 4u) * 37u)) + min((n11 + (n13 & 15u)), 36u)];
        c16[((n13 & 15u) * 33u) + (n13 >> 4u)] = v15;
      }
      for (var n17 = localIndex; n17 < 128u; n17 += 256u) {
        let v18 = vec4<f32>(b1[(e4 + (min((n11 + (n17 >> 3u)), 36u) * 53u)) + ((n17 & 7u) * 4u)], b1[((e4 + (min((n11 + (n17 >> 3u)), 36u) * 53u)) + ((n17 & 7u) * 4u)) + 1u], b1[((e4 + (min((n11 + (n17 >> 3u)), 36u) * 53u)) + ((n17 & 7u) * 4u)) + 2u], b1[((e4 + (min((n11 + (n17 >> 3u)), 36u) * 53u)) + ((n17 & 7u) * 4u)) + 3u]);
        c19[((n17 >> 3u) * 8u) + (n17 & 7u)] = v18;
      }
      workgroupBarrier();
      for (var n12 = 0u; n12 < min((37u - n11), 16u); n12++) {
        let v20 = c16[(n12 * 33u) + l2];
        let v21 = c19[(n12 * 8u) + l1];
        let v22 = vec4<f32>(v20) * v21;
        acc10 = acc10 + v22;
      }
      workgroupBarrier();
    }
    let v23 = vec4<f32>(b2[(l1 * 4u) + e4], b2[((l1 * 4u) + e4) + 1u], b2[((l1 * 4u) + e4) + 2u], b2[((l1 * 4u) + e4) + 3u]);
    let v24 = acc10 + v23;
    let v25 = v24 * vec4<f32>(0.5f);
    let v26 = v24 * vec4<f32>(-0x1.6a09e6p-1f);
    let v27 = tl_erfc_4(v26);
    let v28 = v25 * v27;
    if ((g7 * 32u) <= e9) & ((g3 * 32u) <= e5) {
      b3[(((e8 * 53u) + (l2 * 53u)) + (l1 * 4u)) + e4] = v28.x;
    }
    if ((g7 * 32u) <= e9) & ((g3 * 32u) <= (e5 + 1u)) {
      b3[((((e8 * 53u) + (l2 * 53u)) + (l1 * 4u)) + e4) + 1u] = v28.y;
    }
    if ((g7 * 32u) <= e9) & ((g3 * 32u) <= (e5 + 2u)) {
      b3[((((e8 * 53u) + (l2 * 53u)) + (l1 * 4u)) + e4) + 2u] = v28.z;
    }
    if ((g7 * 32u) <= e9) & ((g3 * 32u) <= (e5 + 3u)) {
      b3[((((e8 * 53u) + (l2 * 53u)) + (l1 * 4u)) + e4) + 3u] = v28.w;
    }
  }
}
