// Started by cmd_axe.py with the job on standard input; the last line tells how much was checked.
import {readFileSync} from "node:fs";
import {job, launch, login} from "./chromium.mjs";

const SOURCE = readFileSync(job.axe, "utf8");
const GRAVE = new Set(["serious", "critical"]);
const FEWEST_RULES = 8;
const FEWEST_RULES_OF_A_PART = 3;
// A page that is made of faults: what finds nothing here, finds nothing anywhere.
const FAULTY = `<html><body><img src="x.png"><button></button><input type="text">
    <p style="color: #ccc; background: #fff">Pale</p></body></html>`;
const FAULTS = ["image-alt", "button-name", "label", "color-contrast", "html-has-lang"];

/** Looks at the whole page, or only at what is ours in a page of Odoo's. */
async function runAxe(page, exclude, include) {
    await page.evaluate(SOURCE);
    return page.evaluate(
        ([excluded, included]) =>
            window.axe.run({
                include: [[included ?? "html"]],
                exclude: excluded.map((selector) => [selector]),
            }),
        [exclude, include],
    );
}

function describe(violation) {
    const nodes = violation.nodes.slice(0, 3).map((node) => `        ${node.html.slice(0, 160)}`);
    return [`      ${violation.impact}: ${violation.id}: ${violation.help}`, ...nodes].join("\n");
}

/** Returns how many views were checked, and prints what is wrong with them. */
async function check(context, entry) {
    const page = await context.newPage();
    let checked = 0;
    let faults = 0;
    try {
        const response = await page.goto(job.url + entry.url);
        if (response.status() >= 400) {
            throw new Error(`HTTP ${response.status()}`);
        }
        await page.waitForSelector(entry.wait, {timeout: 30000});
        for (const selector of entry.click ?? []) {
            await page.click(selector);
        }
        for (const width of entry.widths ?? job.widths) {
            await page.setViewportSize({width, height: 900});
            const results = await runAxe(page, job.exclude, entry.include);
            if (results.passes.length < (entry.include ? FEWEST_RULES_OF_A_PART : FEWEST_RULES)) {
                throw new Error(`axe looked at ${results.passes.length} rules only`);
            }
            const wide = await page.evaluate(
                () => document.documentElement.scrollWidth - window.innerWidth,
            );
            const grave = results.violations.filter(({impact}) => GRAVE.has(impact));
            const verdict = grave.length || wide > 0 ? "FAULTS" : "ok";
            console.log(`  ${entry.name} at ${width} px: ${verdict}`);
            grave.forEach((violation) => console.log(describe(violation)));
            if (wide > 0) {
                console.log(`      the page is ${wide} px wider than the screen`);
            }
            faults += grave.length + (wide > 0 ? 1 : 0);
            checked += 1;
        }
    } catch (error) {
        console.log(`  ${entry.name}: FAILED, ${error.message.split("\n")[0]}`);
        faults += 1;
    } finally {
        await page.close();
    }
    return {checked, faults};
}

async function checkTheCheck(browser) {
    const page = await browser.newPage();
    await page.setContent(FAULTY);
    const found = (await runAxe(page, [])).violations.map(({id}) => id);
    const missed = FAULTS.filter((id) => !found.includes(id));
    if (missed.length) {
        throw new Error(`axe does not find ${missed.join(", ")} on a faulty page`);
    }
    await page.close();
}

const browser = await launch();
let checked = 0;
let faults = 0;
try {
    await checkTheCheck(browser);
    const visitors = new Set(job.pages.map((page) => `${page.login ?? ""}/${page.lang}`));
    for (const visitor of visitors) {
        const [who, lang] = visitor.split("/");
        const context = await browser.newContext({locale: lang.replace("_", "-")});
        await context.addCookies([{name: "frontend_lang", value: lang, url: job.url}]);
        if (who) {
            await (await login(context, who)).close();
        }
        for (const page of job.pages.filter((p) => (p.login ?? "") === who && p.lang === lang)) {
            const result = await check(context, page);
            checked += result.checked;
            faults += result.faults;
        }
        await context.close();
    }
} finally {
    await browser.close();
}
process.exitCode = faults ? 1 : 0;
console.log(JSON.stringify({checked}));
