// Started by cmd_shots.py with the job on standard input; prints one line per screenshot.
import {job, launch, login, setLanguage, watchRequests} from "./chromium.mjs";

const READY = {
    backend: ".o_action_manager .o_view_controller, .o_action_manager .o_action",
    frontend: "main, #wrapwrap, body",
};

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
        for (const step of shot.click ?? []) {
            // a selector to click, or a selector and the text to write there
            const [selector, text] = [step].flat();
            await (text ? page.fill(selector, text) : page.click(selector));
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

const browsers = {};
let failed = 0;
try {
    browsers.en_US = await launch();
    const admin = await login(await browsers.en_US.newContext(), "admin");
    for (const shot of job.shots) {
        try {
            const lang = shot.lang ?? "en_US";
            browsers[lang] ??= await launch(lang);
            await take(browsers[lang], admin, shot);
            console.log(`  ${shot.name}`);
        } catch (error) {
            failed += 1;
            console.log(`  ${shot.name}: FAILED, ${error.message.split("\n")[0]}`);
        }
    }
} finally {
    await Promise.all(Object.values(browsers).map((browser) => browser.close()));
}
process.exitCode = failed ? 1 : 0;
