/** Mounts as on a system that cannot hold directories by their descriptors: names are joined to paths there. */
export function elsewhere<T>(mount: () => T): T {
  const descriptor = Object.getOwnPropertyDescriptor(process, "platform") ?? {};
  Object.defineProperty(process, "platform", { ...descriptor, value: "darwin" });
  try {
    return mount();
  } finally {
    Object.defineProperty(process, "platform", descriptor);
  }
}
