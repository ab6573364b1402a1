// kernel 0 on 1 workgroups of 8
// kernel 1 on 10 workgroups of 64

// kernel 0: add_neg_sqrt
// add_neg_sqrt
@group(0) @binding(0) var<storage, read_write> b0: array<i32>;
@group(0) @binding(1) var<storage, read_write> b1: array<f32>;
@group(0) @binding(2) var<storage, read_write> b2: array<f32>;

fn tl_sqrt(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  return bitcast<f32>(select(select(bitcast<u32>(sqrt(abs(x))), 0x7fc00000u, u > 0x80000000u), u, ((u << 1u) == 0u) | ((u >= 0x7f800000u) & (u < 0x80000000u))));
}

fn tl_expm1(x: f32) -> f32 {
  let c = clamp(x, -20.0f, 89.0f);
  let n = floor(c * 0x1.715476p+0f + 0.5f);
  let r = c - n * 0x1.63p-1f - n * -0x1.bd0106p-13f;
  let p = r + r * r * (0.5f + r * (0x1.555556p-3f + r * (0x1.5554f2p-5f + r * (0x1.111004p-7f + r * (0x1.6d428ep-10f + r * 0x1.a242f6p-13f)))));
  let s = bitcast<f32>((i32(n) + 126i) << 23u);
  let y = 2.0f * (s * p + (s - 0.5f));
  return bitcast<f32>(select(select(bitcast<u32>(select(y, p, n == 0.0f)), 0x7f800000u, x > 0x1.62e43p+6f), bitcast<u32>(x), (abs(x) < 0x1.12e0bep-30f) | ((bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u)));
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 8u) + localIndex;
  if thread0 < 1u {
    let v2 = b0[0u];
    let v3 = v2 + 1i;
    let v4 = f32(v3);
    let v5 = v4 * -0x1.af8e82p-4f;
    let v6 = tl_expm1(v5);
    let v7 = -v6;
    let v8 = v4 * -0x1.06467p-10f;
    let v9 = tl_expm1(v8);
    let v10 = -v9;
    let v11 = tl_sqrt(v10);
    b0[0u] = v3;
    b1[0u] = v7;
    b2[0u] = v11;
  }
}

// kernel 1: add6
// add6
@group(0) @binding(0) var<storage, read_write> b0: array<f32>;
@group(0) @binding(1) var<storage, read> b1: array<f32>;
@group(0) @binding(2) var<storage, read_write> b2: array<f32>;
@group(0) @binding(3) var<storage, read_write> b3: array<f32>;
@group(0) @binding(4) var<storage, read> b4: array<f32>;
@group(0) @binding(5) var<storage, read_write> b5: array<f32>;
@group(0) @binding(6) var<storage, read_write> b6: array<f32>;
@group(0) @binding(7) var<storage, read_write> b7: array<f32>;

fn tl_sqrt(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  return bitcast<f32>(select(select(bitcast<u32>(sqrt(abs(x))), 0x7fc00000u, u > 0x80000000u), u, ((u << 1u) == 0u) | ((u >= 0x7f800000u) & (u < 0x80000000u))));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  if gridIndex < 1u {
    let thread0 = (gridIndex * 64u) + localIndex;
    if thread0 < 17u {
      let g1 = thread0;
      let v2 = b0[g1];
      let v3 = v2 * 0x1.ccccccp-1f;
      let v4 = b1[g1];
      let v5 = v4 * 0x1.99999ap-4f;
      let v6 = v3 + v5;
      let v7 = b2[g1];
      let v8 = v7 * 0x1.ff7ceep-1f;
      let v9 = v4 * v4;
      let v10 = v9 * 0x1.0624dep-10f;
      let v11 = v8 + v10;
      let v12 = b3[g1];
      let v13 = b4[0u];
      let v14 = v6 / v13;
      let v15 = tl_sqrt(v11);
      let v16 = b4[64u];
      let v17 = v15 / v16;
      let v18 = v17 + 0x1.5798eep-27f;
      let v19 = v14 / v18;
      let v20 = v19 * -0x1.0624dep-10f;
      let v21 = v12 + v20;
      b0[g1] = v6;
      b2[g1] = v11;
      b3[g1] = v21;
    }
  } else {
    let thread22 = ((gridIndex - 1u) * 64u) + localIndex;
    if thread22 < 527u {
      let g23 = thread22;
      let v24 = b5[g23];
      let v25 = v24 * 0x1.ccccccp-1f;
      let v26 = b1[g23 + 64u];
      let v27 = v26 * 0x1.99999ap-4f;
      let v28 = v25 + v27;
      let v29 = b6[g23];
      let v30 = v29 * 0x1.ff7ceep-1f;
      let v31 = v26 * v26;
      let v32 = v31 * 0x1.0624dep-10f;
      let v33 = v30 + v32;
      let v34 = b7[g23];
      let v35 = b4[0u];
      let v36 = v28 / v35;
      let v37 = tl_sqrt(v33);
      let v38 = b4[64u];
      let v39 = v37 / v38;
      let v40 = v39 + 0x1.5798eep-27f;
      let v41 = v36 / v40;
      let v42 = v41 * -0x1.0624dep-10f;
      let v43 = v34 + v42;
      b5[g23] = v28;
      b6[g23] = v33;
      b7[g23] = v43;
    }
  }
}
