import classes from './sync.module.css';

/** How to get a server: for those who opened the demo from a static host. */
export function ShareHint() {
  return (
    <p className={classes['hint']}>
      Run <code>npm start</code> in the repository and open the address it prints: that page shares its library with every window, browser
      and device that opens it. An export from here can be dropped there.
    </p>
  );
}
