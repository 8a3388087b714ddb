// What the scripts that drive Chromium share. They are started by ./dev with their job, an object,
// on standard input.
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";

const {chromium} = createRequire(`${process.env.NODE_FOLDER}/`)("playwright-core");

export const job = JSON.parse(readFileSync(0, "utf8"));

const FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/** What Chromium draws itself (dates, buttons of files) is in the language it is launched with. */
export function launch(lang = "en_US") {
    const args = [...FLAGS, `--lang=${lang.replace("_", "-")}`];
    const env = {...process.env, LANGUAGE: lang};
    return chromium.launch({executablePath: job.chromium, args, env});
}

/** The logins of the demo association have their name as password. */
export async function login(context, name) {
    const page = await context.newPage();
    await page.goto(`${job.url}/web/login`);
    await page.fill("input[name=login]", name);
    await page.fill("input[name=password]", name);
    await page.click("form.oe_login_form button[type=submit]");
    await page.waitForURL((url) => !url.pathname.startsWith("/web/login"), {timeout: 60000});
    return page;
}

/** Call a method of Odoo as whoever is logged in on the page. */
export function callOdoo(page, model, method, args, kwargs = {}) {
    return page.evaluate(
        async (params) => {
            const response = await fetch(`/web/dataset/call_kw/${params.model}/${params.method}`, {
                method: "POST",
                headers: {"Content-Type": "application/json"},
                body: JSON.stringify({params}),
            });
            return (await response.json()).result;
        },
        {model, method, args, kwargs},
    );
}

/** As administrator: what a user sees first is their language, whatever was done before. */
export async function setLanguage(admin, name, lang) {
    const call = (method, args) => callOdoo(admin, "res.users", method, args);
    const ids = await call("search", [[["login", "=", name]]]);
    if (!ids?.length || !(await call("write", [ids, {lang}]))) {
        throw new Error(`cannot set the language ${lang} of ${name}`);
    }
}

const AWAITED = new Set(["document", "fetch", "xhr", "script", "stylesheet", "image"]);

/** Returns a function that waits until no request has been under way for half a second. */
export function watchRequests(page) {
    const pending = new Set();
    let quietSince = Date.now();
    page.on("request", (request) => {
        // The script of Odoo's bus becomes a worker, of whose end the page never hears.
        if (AWAITED.has(request.resourceType()) && !request.url().includes("/bus/")) {
            pending.add(request);
        }
    });
    const finished = (request) => {
        pending.delete(request);
        quietSince = Date.now();
    };
    page.on("requestfinished", finished);
    page.on("requestfailed", finished);
    return async () => {
        const deadline = Date.now() + 30000;
        while (Date.now() < deadline && (pending.size || Date.now() - quietSince < 500)) {
            await page.waitForTimeout(100);
        }
        await page.waitForSelector(".o_loading_indicator", {state: "detached", timeout: 30000});
    };
}
