// The demo of the conditional GAN, which walk.js has too: the same page with a digit to choose.

import "./walk.js";
