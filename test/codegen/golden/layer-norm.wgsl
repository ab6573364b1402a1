// kernel 0 on 12 workgroups of 64

// kernel 0: add
// add
@group(0) @binding(0) var<storage, read> b0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b1: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b2: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> b3: array<vec4<f32>>;

fn tl_bits(u: u32) -> f32 {
  return bitcast<f32>(u);
}

fn tl_rsqrt(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  return bitcast<f32>(select(select(select(select(bitcast<u32>(1.0f / sqrt(abs(x))), 0x7fc00000u, u > 0x80000000u), u | 0x7f800000u, (u << 1u) == 0u), 0u, u == 0x7f800000u), u, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 64u) + localIndex;
  if thread0 < 768u {
    let g1 = thread0 % 24u;
    let t2 = thread0 / 24u;
    let g3 = t2;
    var acc4: f32 = tl_bits(0x80000000u);
    var acc5: f32 = 0.0f;
    var acc6: f32 = 0.0f;
    var acc7: f32 = 0.0f;
    var acc8: f32 = 0.0f;
    var acc9: f32 = tl_bits(0x80000000u);
    var acc10: f32 = 0.0f;
    var acc11: f32 = 0.0f;
    var acc12: f32 = 0.0f;
    var acc13: f32 = 0.0f;
    let x21 = g3 * 24u;
    for (var n14 = 0u; n14 < 12u; n14++) {
      var acc15: f32 = tl_bits(0x80000000u);
      var acc16: f32 = 0.0f;
      var acc17: f32 = 0.0f;
      var acc18: f32 = 0.0f;
      var acc19: f32 = 0.0f;
      let x22 = x21 + (n14 * 2u);
      for (var n20 = 0u; n20 < 2u; n20++) {
        let v23 = b0[x22 + n20];
        acc15 = (((acc15 + v23.x) + v23.y) + v23.z) + v23.w;
        let v24 = acc16 + 1.0f;
        let v25 = acc16 == 0.0f;
        let v26 = select((1.0f / v24), 1.0f, v25);
        let v27 = (v23.x - acc17) + (0.0f - acc18);
        let v28 = select(acc17, v23.x, v25);
        let v29 = select((acc18 + (v27 * v26)), 0.0f, v25);
        let v30 = (acc19 + 0.0f) + ((v27 * (acc16 * v26)) * v27);
        let v31 = v24 + 1.0f;
        let v32 = v24 == 0.0f;
        let v33 = select((1.0f / v31), 1.0f, v32);
        let v34 = (v23.y - v28) + (0.0f - v29);
        let v35 = select(v28, v23.y, v32);
        let v36 = select((v29 + (v34 * v33)), 0.0f, v32);
        let v37 = (v30 + 0.0f) + ((v34 * (v24 * v33)) * v34);
        let v38 = v31 + 1.0f;
        let v39 = v31 == 0.0f;
        let v40 = select((1.0f / v38), 1.0f, v39);
        let v41 = (v23.z - v35) + (0.0f - v36);
        let v42 = select(v35, v23.z, v39);
        let v43 = select((v36 + (v41 * v40)), 0.0f, v39);
        let v44 = (v37 + 0.0f) + ((v41 * (v31 * v40)) * v41);
        let v45 = v38 + 1.0f;
        let v46 = v38 == 0.0f;
        let v47 = select((1.0f / v45), 1.0f, v46);
        let v48 = (v23.w - v42) + (0.0f - v43);
        let v49 = select(v42, v23.w, v46);
        let v50 = select((v43 + (v48 * v47)), 0.0f, v46);
        let v51 = (v44 + 0.0f) + ((v48 * (v38 * v47)) * v48);
        acc16 = v45;
        acc17 = v49;
        acc18 = v50;
        acc19 = v51;
      }
      acc9 = acc9 + acc15;
      let v52 = acc10 + acc16;
      let v53 = acc10 == 0.0f;
      let v54 = select((acc16 / v52), 1.0f, v53);
      let v55 = (acc17 - acc11) + (acc18 - acc12);
      let v56 = select(acc11, acc17, v53);
      let v57 = select((acc12 + (v55 * v54)), acc18, v53);
      let v58 = (acc13 + acc19) + ((v55 * (acc10 * v54)) * v55);
      acc10 = v52;
      acc11 = v56;
      acc12 = v57;
      acc13 = v58;
      if (n14 & 3u) == 3u {
        acc4 = acc4 + acc9;
        acc9 = tl_bits(0x80000000u);
        let v59 = acc5 + acc10;
        let v60 = acc5 == 0.0f;
        let v61 = select((acc10 / v59), 1.0f, v60);
        let v62 = (acc11 - acc6) + (acc12 - acc7);
        let v63 = select(acc6, acc11, v60);
        let v64 = select((acc7 + (v62 * v61)), acc12, v60);
        let v65 = (acc8 + acc13) + ((v62 * (acc5 * v61)) * v62);
        acc5 = v59;
        acc6 = v63;
        acc7 = v64;
        acc8 = v65;
        acc10 = 0.0f;
        acc11 = 0.0f;
        acc12 = 0.0f;
        acc13 = 0.0f;
      }
    }
    acc4 = acc4 + acc9;
    let v66 = acc5 + acc10;
    let v67 = acc5 == 0.0f;
    let v68 = select((acc10 / v66), 1.0f, v67);
    let v69 = (acc11 - acc6) + (acc12 - acc7);
    let v70 = select(acc6, acc11, v67);
    let v71 = select((acc7 + (v69 * v68)), acc12, v67);
    let v72 = (acc8 + acc13) + ((v69 * (acc5 * v68)) * v69);
    acc5 = v66;
    acc6 = v70;
    acc7 = v71;
    acc8 = v72;
    let v73 = acc4 / 96.0f;
    let v74 = b0[(g3 * 24u) + g1];
    let v75 = v74 - vec4<f32>(v73);
    var acc76: f32 = tl_bits(0x80000000u);
    var acc77: f32 = tl_bits(0x80000000u);
    for (var n78 = 0u; n78 < 12u; n78++) {
      var acc79: f32 = tl_bits(0x80000000u);
      let x81 = x21 + (n78 * 2u);
      for (var n80 = 0u; n80 < 2u; n80++) {
        let v82 = b0[x81 + n80];
        let v83 = v82 - vec4<f32>(v73);
        acc79 = (((acc79 + v83.x) + v83.y) + v83.z) + v83.w;
      }
      acc77 = acc77 + acc79;
      if (n78 & 3u) == 3u {
        acc76 = acc76 + acc77;
        acc77 = tl_bits(0x80000000u);
      }
    }
    acc76 = acc76 + acc77;
    let v84 = acc76 / 96.0f;
    let v85 = v75 - vec4<f32>(v84);
    let v86 = acc6 + acc7;
    let v87 = (bitcast<u32>(v86) & 0x7fffffffu) == 0x7f800000u;
    let v88 = (bitcast<u32>(v86) & 0x7fffffffu) > 0x7f800000u;
    let v89 = v87 | v88;
    let v90 = acc8 / acc5;
    let v91 = select(v90, tl_bits(0x7fc00000u), v89);
    let v92 = v91 + 0x1.4f8b58p-17f;
    let v93 = tl_rsqrt(v92);
    let v94 = v85 * vec4<f32>(v93);
    let v95 = b1[g1];
    let v96 = v94 * v95;
    let v97 = b2[g1];
    let v98 = v96 + v97;
    b3[(g3 * 24u) + g1] = v98;
  }
}
