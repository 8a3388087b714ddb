// Started by cmd_shots.py with the job on standard input; prints one line per screenshot.
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";

const {chromium} = createRequire(`${process.env.NODE_FOLDER}/`)("playwright-core");
const job = JSON.parse(readFileSync(0, "utf8"));

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
const READY = {
    backend: ".o_action_manager .o_view_controller, .o_action_manager .o_action",
    frontend: "main, #wrapwrap, body",
};

async function login(context, name) {
    const page = await context.newPage();
    await page.goto(`${job.url}/web/login`);
    await page.fill("input[name=login]", name);
    await page.fill("input[name=password]", name);
    await page.click("form.oe_login_form button[type=submit]");
    await page.waitForURL((url) => !url.pathname.startsWith("/web/login"), {timeout: 60000});
    return page;
}

/** As administrator: what a user sees first is their language, whatever the shot before has set. */
async function setLanguage(admin, name, lang) {
    const call = (method, args) =>
        admin.evaluate(
            async ([method_, args_]) => {
                const response = await fetch(`/web/dataset/call_kw/res.users/${method_}`, {
                    method: "POST",
                    headers: {"Content-Type": "application/json"},
                    body: JSON.stringify({
                        params: {model: "res.users", method: method_, args: args_, kwargs: {}},
                    }),
                });
                return (await response.json()).result;
            },
            [method, args],
        );
    const ids = await call("search", [[["login", "=", name]]]);
    if (!ids?.length || !(await call("write", [ids, {lang}]))) {
        throw new Error(`cannot set the language ${lang} of ${name}`);
    }
}

const AWAITED = new Set(["document", "fetch", "xhr", "script", "stylesheet", "image"]);

/** Returns a function that waits until no request has been under way for half a second. */
function watchRequests(page) {
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

async function take(browser, admin, shot) {
    const viewport = {width: shot.width ?? 1280, height: shot.height ?? 800};
    const context = await browser.newContext({
        viewport,
        locale: (shot.lang ?? "en_US").replace("_", "-"),
    });
    const complaints = [];
    try {
        if (shot.lang) {
            if (shot.login) {
                await setLanguage(admin, shot.login, shot.lang);
            }
            await context.addCookies([{name: "frontend_lang", value: shot.lang, url: job.url}]);
        }
        if (shot.login) {
            await (await login(context, shot.login)).close();
        }
        const page = await context.newPage();
        page.on("pageerror", (error) => complaints.push(error.message));
        page.on(
            "console",
            (message) => message.type() === "error" && complaints.push(message.text()),
        );
        const settled = watchRequests(page);
        const response = await page.goto(shot.file ?? job.url + shot.url);
        if (response && response.status() >= 400) {
            throw new Error(`HTTP ${response.status()}`);
        }
        const backend = new URL(page.url()).pathname.startsWith("/odoo");
        await page.waitForSelector(shot.wait ?? READY[backend ? "backend" : "frontend"], {
            timeout: 30000,
        });
        await settled();
        for (const selector of shot.click ?? []) {
            await page.click(selector);
            await settled();
        }
        await page.evaluate(() => document.fonts.ready);
        await page.waitForTimeout(shot.pause ?? 300);
        if (await page.locator(".o_error_dialog").count()) {
            throw new Error("an error dialog is open");
        }
        await page.screenshot({path: `${job.out}/${shot.name}.png`, fullPage: shot.full ?? true});
    } finally {
        await context.close();
    }
    if (complaints.length) {
        throw new Error(`the console shows: ${complaints[0]}`);
    }
}

const browser = await chromium.launch({executablePath: job.chromium, args: FLAGS});
let failed = 0;
try {
    const admin = await login(await browser.newContext(), "admin");
    for (const shot of job.shots) {
        try {
            await take(browser, admin, shot);
            console.log(`  ${shot.name}`);
        } catch (error) {
            failed += 1;
            console.log(`  ${shot.name}: FAILED, ${error.message.split("\n")[0]}`);
        }
    }
} finally {
    await browser.close();
}
process.exitCode = failed ? 1 : 0;
