export function TernLogo({ size }: { size: number }) {
  return <img src="/icons/tern.svg" width={size} height={size} alt="" />;
}
