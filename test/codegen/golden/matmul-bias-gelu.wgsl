// kernel 0 on 51 workgroups of 64

// kernel 0: mul
// mul
@group(0) @binding(0) var<storage, read> b0: array<f32>;
@group(0) @binding(1) var<storage, read> b1: array<f32>;
@group(0) @binding(2) var<storage, read> b2: array<f32>;
@group(0) @binding(3) var<storage, read_write> b3: array<f32>;

fn tl_expTimes(x: f32, low: f32, f: f32) -> f32 {
  let c = max(x, -104.0f);
  let n = floor(c * 0x1.715476p+0f + 0.5f);
  let r = c - n * 0x1.63p-1f - n * -0x1.bd0106p-13f + low;
  let p = (1.0f + (r + r * r * (0.5f + r * (0x1.55548ap-3f + r * (0x1.5554bap-5f + r * (0x1.123f8cp-7f + r * 0x1.6d815ep-10f)))))) * f;
  let k = i32(n);
  let h = k >> 1u;
  let y = p * bitcast<f32>((h + 127i) << 23u) * bitcast<f32>((k - h + 127i) << 23u);
  return y;
}

fn tl_erfc(x: f32) -> f32 {
  let a = min(abs(x), 10.5f);
  let b = max(a, 0.5f);
  let d = (b - 2.0f) / (b + 2.0f);
  let h = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let f = (0x1.46e80ep+0f + d * (-0x1.7bf5eap-4f + d * (-0x1.5407b8p-3f + d * (0x1.4ff96p-3f + d * (-0x1.bc2338p-5f + d * (-0x1.068a64p-7f + d * (0x1.1c4de4p-7f + d * (0x1.2fcd92p-10f + d * (-0x1.51210cp-10f + d * -0x1.e46fc2p-13f))))))))) / (1.0f + 2.0f * b);
  let far = tl_expTimes(-h * h, (h - b) * (h + b), f);
  let z = a * a;
  let near = a + a * (0x1.06eba8p-3f + z * (-0x1.81274p-2f + z * (0x1.ce2d5p-4f + z * (-0x1.b7fe9p-6f + z * (0x1.542e1p-8f + z * (-0x1.a50b0ep-11f + z * 0x1.4c344ep-14f))))));
  let inner = 1.0f - select(near, -near, x < 0.0f);
  let y = select(select(far, 2.0f - far, x < 0.0f), inner, a < 0.5f);
  return bitcast<f32>(select(bitcast<u32>(y), bitcast<u32>(x), (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 64u) + localIndex;
  if thread0 < 3233u {
    let g1 = thread0 % 53u;
    let t2 = thread0 / 53u;
    let g3 = t2;
    var acc4: f32 = 0.0f;
    let x6 = g3 * 37u;
    for (var n5 = 0u; n5 < 37u; n5++) {
      let v7 = b0[x6 + n5];
      let v8 = b1[g1 + (n5 * 53u)];
      let v9 = v7 * v8;
      acc4 = acc4 + v9;
    }
    let v10 = b2[g1];
    let v11 = acc4 + v10;
    let v12 = v11 * 0.5f;
    let v13 = v11 * -0x1.6a09e6p-1f;
    let v14 = tl_erfc(v13);
    let v15 = v12 * v14;
    b3[(g3 * 53u) + g1] = v15;
  }
}
