// kernel 0 on 1 workgroups of 256

// kernel 0: add_reduce
// add_reduce
@group(0) @binding(0) var<storage, read> b0: array<vec4<i32>>;
@group(0) @binding(1) var<storage, read> b1: array<f32>;
@group(0) @binding(2) var<storage, read_write> b2: array<f32>;
@group(0) @binding(3) var<storage, read_write> b3: array<f32>;
var<workgroup> c10: array<f32, 256>;

fn tl_bits(u: u32) -> f32 {
  return bitcast<f32>(u);
}

fn tl_max(a: f32, b: f32) -> f32 {
  return bitcast<f32>(select(select(select(bitcast<u32>(b), bitcast<u32>(a) & bitcast<u32>(b), a == b), bitcast<u32>(a), (a > b) | ((bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u)), bitcast<u32>(b), (bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u));
}

fn tl_max_4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(select(select(select(bitcast<vec4<u32>>(b), bitcast<vec4<u32>>(a) & bitcast<vec4<u32>>(b), a == b), bitcast<vec4<u32>>(a), (a > b) | ((bitcast<vec4<u32>>(a) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u))), bitcast<vec4<u32>>(b), (bitcast<vec4<u32>>(b) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u)));
}

fn tl_shiftLeft(a: u32, n: u32) -> u32 {
  return select(0u, a << (n & 0x1fu), n < 0x20u);
}

fn tl_exp(x: f32) -> f32 {
  let c = clamp(x, -104.0f, 89.0f);
  let n = floor(c * 0x1.715476p+0f + 0.5f);
  let r = c - n * 0x1.63p-1f - n * -0x1.bd0106p-13f;
  let p = 1.0f + (r + r * r * (0.5f + r * (0x1.55548ap-3f + r * (0x1.5554bap-5f + r * (0x1.123f8cp-7f + r * 0x1.6d815ep-10f)))));
  let k = i32(n);
  let h = k >> 1u;
  let y = p * bitcast<f32>((h + 127i) << 23u) * bitcast<f32>((k - h + 127i) << 23u);
  return bitcast<f32>(select(select(bitcast<u32>(y), 0x7f800000u, x > 0x1.62e43p+6f), bitcast<u32>(x), (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u));
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

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let group0 = gridIndex;
  if group0 < 1u {
    var acc1: f32 = tl_bits(0x80000000u);
    for (var n2 = localIndex; n2 < min((localIndex + 1u), 6u); n2++) {
      var acc3: f32 = tl_bits(0x80000000u);
      let x5 = n2 * 2u;
      for (var n4 = 0u; n4 < 2u; n4++) {
        let v6 = b0[x5 + n4];
        let v7 = v6 == vec4<i32>(-100i);
        let v8 = !v7;
        let v9 = vec4<f32>(v8);
        acc3 = (((acc3 + v9.x) + v9.y) + v9.z) + v9.w;
      }
      acc1 = acc1 + acc3;
    }
    c10[localIndex] = acc1;
    workgroupBarrier();
    for (var n11 = 0u; n11 < 2u; n11++) {
      if (localIndex & (tl_shiftLeft(4u, (n11 * 2u)) - 1u)) == 0u {
        for (var n12 = 1u; n12 < 4u; n12++) {
          let v13 = localIndex + tl_shiftLeft(n12, (n11 * 2u));
          let v14 = c10[localIndex];
          let v15 = c10[v13];
          c10[localIndex] = v14 + v15;
        }
      }
      workgroupBarrier();
    }
    let v16 = c10[0u];
    for (var n17 = localIndex; n17 < 48u; n17 += 256u) {
      let v18 = b0[n17 >> 2u][n17 & 3u];
      let v19 = v18 == -100i;
      let v20 = !v19;
      let v21 = f32(v20);
      let v22 = v21 / v16;
      let v23 = select(v22, 0.0f, v19);
      let v24 = -v23;
      let v25 = select(v18, 0i, v19);
      var acc26: f32 = tl_bits(0xff800000u);
      let x28 = n17 * 10u;
      for (var n27 = 0u; n27 < 10u; n27++) {
        let v29 = b1[x28 + n27];
        acc26 = tl_max(acc26, v29);
      }
      var acc30: f32 = tl_bits(0x80000000u);
      for (var n31 = 0u; n31 < 2u; n31++) {
        var acc32: f32 = tl_bits(0x80000000u);
        for (var n33 = n31 * 8u; n33 < min(((n31 * 8u) + 8u), 10u); n33++) {
          let v34 = b1[x28 + n33];
          let v35 = v34 - acc26;
          let v36 = tl_exp(v35);
          acc32 = acc32 + v36;
        }
        acc30 = acc30 + acc32;
      }
      let v37 = v23 / acc30;
      for (var n38 = 0u; n38 < 10u; n38++) {
        let v39 = i32(n38);
        let v40 = v25 == v39;
        let v41 = select(0.0f, v24, v40);
        var acc42: f32 = 0.0f;
        acc42 = acc42 + v41;
        let v43 = b1[x28 + n38];
        let v44 = v43 - acc26;
        let v45 = tl_exp(v44);
        let v46 = v37 * v45;
        let v47 = acc42 + v46;
        b2[x28 + n38] = v47;
      }
    }
    var acc48: f32 = tl_bits(0x80000000u);
    for (var n49 = localIndex; n49 < min((localIndex + 1u), 6u); n49++) {
      var acc50: f32 = tl_bits(0x80000000u);
      let x54 = n49 * 80u;
      let x57 = n49 * 2u;
      for (var n51 = 0u; n51 < 2u; n51++) {
        var acc52: vec4<f32> = vec4<f32>(tl_bits(0xff800000u));
        let x55 = x54 + (n51 * 40u);
        for (var n53 = 0u; n53 < 10u; n53++) {
          let v56 = vec4<f32>(b1[x55 + n53], b1[(x55 + n53) + 10u], b1[(x55 + n53) + 20u], b1[(x55 + n53) + 30u]);
          acc52 = tl_max_4(acc52, v56);
        }
        let v58 = b0[x57 + n51];
        let v59 = v58 == vec4<i32>(-100i);
        let v60 = select(v58, vec4<i32>(0i), v59);
        let v61 = vec4<f32>(b1[(x54 + (n51 * 40u)) + min(u32(v60.x), 9u)], b1[((x54 + (n51 * 40u)) + min(u32(v60.y), 9u)) + 10u], b1[((x54 + (n51 * 40u)) + min(u32(v60.z), 9u)) + 20u], b1[((x54 + (n51 * 40u)) + min(u32(v60.w), 9u)) + 30u]);
        let v62 = v61 - acc52;
        var acc63: vec4<f32> = vec4<f32>(tl_bits(0x80000000u));
        for (var n64 = 0u; n64 < 2u; n64++) {
          var acc65: vec4<f32> = vec4<f32>(tl_bits(0x80000000u));
          for (var n66 = n64 * 8u; n66 < min(((n64 * 8u) + 8u), 10u); n66++) {
            let v67 = vec4<f32>(b1[x55 + n66], b1[(x55 + n66) + 10u], b1[(x55 + n66) + 20u], b1[(x55 + n66) + 30u]);
            let v68 = v67 - acc52;
            let v69 = tl_exp_4(v68);
            acc65 = acc65 + v69;
          }
          acc63 = acc63 + acc65;
        }
        let v70 = tl_log_4(acc63);
        let v71 = v62 - v70;
        let v72 = -v71;
        let v73 = select(v72, vec4<f32>(0.0f), v59);
        let v74 = !v59;
        let v75 = vec4<f32>(v74);
        let v76 = v75 / vec4<f32>(v16);
        let v77 = v73 * v76;
        acc50 = (((acc50 + v77.x) + v77.y) + v77.z) + v77.w;
      }
      acc48 = acc48 + acc50;
    }
    workgroupBarrier();
    c10[localIndex] = acc48;
    workgroupBarrier();
    for (var n78 = 0u; n78 < 2u; n78++) {
      if (localIndex & (tl_shiftLeft(4u, (n78 * 2u)) - 1u)) == 0u {
        for (var n79 = 1u; n79 < 4u; n79++) {
          let v80 = localIndex + tl_shiftLeft(n79, (n78 * 2u));
          let v81 = c10[localIndex];
          let v82 = c10[v80];
          c10[localIndex] = v81 + v82;
        }
      }
      workgroupBarrier();
    }
    let v83 = c10[0u];
    if localIndex == 0u {
      b3[0u] = v83;
    }
  }
}
