import './styles/tokens.css';
import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { startLive } from './lib/live';
import { loadSession } from './lib/session/session.svelte';
import { startFigures } from './lib/view/figures.svelte';
import { loadProgramme } from './lib/view/programme.svelte';
import { startView } from './lib/view/view.svelte';
import Unavailable from './lib/workspace/Unavailable.svelte';

const target = document.getElementById('app');
if (target) {
  try {
    // Who is here decides which tiles may be asked for: known before the first one is.
    const [programme] = await Promise.all([loadProgramme(), loadSession()]);
    startView(programme.province.code);
    startFigures();
    startLive(programme.seq);
    mount(App, { target });
  } catch (error) {
    console.error(error);
    mount(Unavailable, { target });
  }
}
