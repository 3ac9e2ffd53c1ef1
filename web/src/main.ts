import './styles/tokens.css';
import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import Unavailable from './lib/workspace/Unavailable.svelte';
import { startLive } from './lib/live';
import { startFigures } from './lib/view/figures.svelte';
import { loadProgramme } from './lib/view/programme.svelte';
import { startView } from './lib/view/view.svelte';

const target = document.getElementById('app');
if (target) {
  try {
    const programme = await loadProgramme();
    startView(programme.province.code);
    startFigures();
    startLive();
    mount(App, { target });
  } catch (error) {
    console.error(error);
    mount(Unavailable, { target });
  }
}
