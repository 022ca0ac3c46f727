// Bytes as they are. JavaScript's own ways are slow on memory that threads share: they go number by number.

export function copyBytes(from: usize, to: usize, bytes: i32): void {
  memory.copy(to, from, bytes);
}

export function fillBytes(to: usize, value: i32, bytes: i32): void {
  memory.fill(to, <u8>value, bytes);
}
