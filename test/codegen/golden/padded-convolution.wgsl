// kernel 0 on 16 workgroups of 64

// kernel 0: add
// add
@group(0) @binding(0) var<storage, read> b0: array<f32>;
@group(0) @binding(1) var<storage, read> b1: array<f32>;
@group(0) @binding(2) var<storage, read> b2: array<f32>;
@group(0) @binding(3) var<storage, read_write> b3: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) localIndex: u32) {
  let gridIndex = workgroup.x + workgroup.y * workgroups.x;
  let thread0 = (gridIndex * 64u) + localIndex;
  if thread0 < 990u {
    let g1 = thread0 % 11u;
    let t2 = thread0 / 11u;
    let g3 = t2 % 9u;
    let t4 = t2 / 9u;
    let g5 = t4 % 5u;
    let t6 = t4 / 5u;
    let g7 = t6;
    var acc8: f32 = 0.0f;
    let x13 = ((g7 * 297u) + (g3 * 11u)) + g1;
    let x18 = g5 * 27u;
    for (var n9 = 0u; n9 < 3u; n9++) {
      let x14 = x13 + (n9 * 99u);
      let x19 = x18 + (n9 * 9u);
      for (var n10 = 0u; n10 < 3u; n10++) {
        let x12 = g3 + n10;
        let x15 = x14 + (n10 * 11u);
        let x20 = x19 + (n10 * 3u);
        for (var n11 = 0u; n11 < 3u; n11++) {
          let v16 = b0[select(0u, ((x15 + n11) - 12u), (((1u <= x12) & (x12 < 10u)) & ((1u <= (g1 + n11)) & ((g1 + n11) < 12u))))];
          let v17 = select(0.0f, v16, (((1u <= x12) & (x12 < 10u)) & ((1u <= (g1 + n11)) & ((g1 + n11) < 12u))));
          let v21 = b1[x20 + n11];
          let v22 = v17 * v21;
          acc8 = acc8 + v22;
        }
      }
    }
    let v23 = b2[g5];
    let v24 = acc8 + v23;
    b3[(((g7 * 495u) + (g5 * 99u)) + (g3 * 11u)) + g1] = v24;
  }
}
