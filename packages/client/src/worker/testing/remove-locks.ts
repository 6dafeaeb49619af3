Object.defineProperty(navigator, 'locks', { value: undefined });
