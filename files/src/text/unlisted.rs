//! A JSON array of records as lines of records: `[{…}, {…}]` reads like a file of two lines. Works on bytes as they arrive.

/// How far the array is read.
#[derive(Clone, Debug, Default)]
pub struct Unlisted {
    depth: u32,
    in_text: bool,
    escaped: bool,
}

impl Unlisted {
    /// The next bytes, each record on a line of its own. What separates records becomes a line end, line ends within them become blanks.
    pub fn next(&mut self, bytes: &[u8]) -> Vec<u8> {
        bytes.iter().map(|byte| self.byte(*byte)).collect()
    }

    fn byte(&mut self, byte: u8) -> u8 {
        if self.in_text {
            let ends = byte == b'"' && !self.escaped;
            self.escaped = byte == b'\\' && !self.escaped;
            self.in_text = !ends;
            return byte;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => {
                self.depth = self.depth.saturating_add(1);
                return if self.depth == 1 { b' ' } else { byte };
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return if self.depth == 0 { b'\n' } else { byte };
            }
            b',' if self.depth == 1 => return b'\n',
            b'\n' | b'\r' => return b' ',
            _ => {}
        }
        byte
    }
}
