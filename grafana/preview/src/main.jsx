// Which dashboard? /?dashboard=UID&prometheus=URL&from=MS&to=MS&theme=dark&var-NAME=…
import { ThemeContext, createTheme } from "@grafana/data";
import { GlobalStyles } from "@grafana/ui";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router-dom";
import { sceneOf } from "./scene.js";
import { lend } from "./services.js";
import { Source } from "./source.js";
import { complain, watch } from "./watch.js";

const ROW = 38; // pixels of a row of the grid, with its margin
const CONTROLS = 100; // pixels for what is above the grid

async function show(parameters) {
  const theme = createTheme({ colors: { mode: parameters.get("theme") ?? "dark" } });
  lend(theme, new Source(parameters.get("prometheus")));
  const reply = await fetch(`/dashboards/${parameters.get("dashboard")}.json`);
  const [from, to] = ["from", "to"].map((name) => moment(parameters.get(name)));
  const { scene, rows } = sceneOf(await reply.json(), { from, to, chosen: parameters });
  watch(scene);
  const style = {
    ...{ display: "flex", padding: 16, minHeight: rows * ROW + CONTROLS },
    background: theme.colors.background.canvas,
  };
  createRoot(document.getElementById("root")).render(
    <BrowserRouter>
      <ThemeContext.Provider value={theme}>
        <GlobalStyles />
        <div style={style}>
          <scene.Component model={scene} />
        </div>
      </ThemeContext.Provider>
    </BrowserRouter>,
  );
}

const moment = (milliseconds) => new Date(Number(milliseconds)).toISOString();

show(new URLSearchParams(window.location.search)).catch((error) => complain(String(error.stack)));
