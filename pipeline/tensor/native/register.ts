export function registerNativeGradients(): void {}
