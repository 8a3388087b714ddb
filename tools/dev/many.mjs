// Started by cmd_many.py with the job on standard input; prints the seconds of each step.
import {callOdoo, job, launch, login, setLanguage, watchRequests} from "./chromium.mjs";

const LIST = "/odoo/all-renewals";
const DASHBOARDS = "/odoo/action-membri_renewal.action_membri_dashboard";
const FLOWS = [
    ["approve", "action_server_renewal_approve"],
    ["resend", "action_server_renewal_remind"],
];
const TRAY = ".o_menu_systray .o_membri_bulk_tray button";
const LONG = {timeout: 300000};

const browser = await launch();
const admin = await login(await browser.newContext(), "admin");
await setLanguage(admin, "officer", job.lang);

async function open() {
    const context = await browser.newContext({
        viewport: {width: 1280, height: 800},
        locale: job.lang.replace("_", "-"),
    });
    return login(context, "officer");
}

async function measure(page, what, act) {
    const started = Date.now();
    await act();
    console.log(`  ${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${what}`);
    await page.screenshot({path: `${job.out}/${what.replace(/\W+/g, "-")}.png`});
}

/** The names of the flows in the officer's language, as the menu shows them. */
async function getFlowName(xmlid) {
    const domain = [
        ["module", "=", "membri_renewal"],
        ["name", "=", xmlid],
    ];
    const [found] = await callOdoo(admin, "ir.model.data", "search_read", [domain, ["res_id"]]);
    const [action] = await callOdoo(
        admin,
        "ir.actions.server",
        "read",
        [[found.res_id], ["name"]],
        {context: {lang: job.lang}},
    );
    return action.name;
}

async function selectAll(page) {
    await measure(page, "the list opens", async () => {
        await page.goto(job.url + LIST);
        await page.waitForSelector(".o_data_row");
    });
    await page.click("thead .o_list_record_selector input");
    await measure(page, "all are selected", async () => {
        await page.click(".o_select_domain");
        await page.waitForSelector(".o_selection_box:not(:has(.o_select_domain))");
    });
}

async function chooseFlow(page, name) {
    const direct = page.locator(`.o_control_panel button:has-text("${name}")`);
    if (!(await direct.count())) {
        await page.click(".o_cp_action_menus button[data-hotkey=u]");
    }
    await page.click(`button:has-text("${name}"), .o_menu_item:has-text("${name}")`);
}

async function readWindow(page) {
    const text = await page.locator(".modal .o_form_view").innerText();
    console.log(text.replace(/^\s*$\n?/gm, "").replace(/^/gm, "             "));
    // thousands are written with commas, or with spaces of all kinds
    const numbers = text.replace(/(\d)[\s,](?=\d{3})/g, "$1").match(/\d+/g) ?? [];
    if (!numbers.some((number) => Number(number) >= job.made)) {
        throw new Error(`the window does not speak of ${job.made} renewals`);
    }
}

async function refuseAll(page) {
    await selectAll(page);
    const name = await getFlowName("action_server_renewal_refuse");
    await measure(page, "the window of refuse opens", async () => {
        await chooseFlow(page, name);
        await page.waitForSelector(".modal .o_field_widget[name=reason_id] input", LONG);
    });
    await readWindow(page);
    await page.click(".modal .o_field_widget[name=reason_id] input");
    await page.click(".o-autocomplete--dropdown-item:first-child a");
    await measure(page, "the work is queued, its page open", async () => {
        await page.click(".modal footer button[name=action_confirm]");
        await page.waitForSelector(".o_form_view button[name=action_stop]", LONG);
    });
    await measure(page, "the tray tells the progress", () => page.waitForSelector(TRAY, LONG));
    await measure(page, "the first are done", () =>
        page.waitForFunction(
            (selector) => parseInt(document.querySelector(selector)?.innerText ?? "", 10) >= 1,
            TRAY,
            LONG,
        ),
    );
}

async function goOnElsewhere() {
    const page = await open();
    await measure(page, "another browser tells the progress", async () => {
        await page.goto(job.url + DASHBOARDS);
        await page.waitForSelector(TRAY, LONG);
    });
    await measure(page, "stopped", async () => {
        await page.click(TRAY);
        await page.click("button[name=action_stop]");
        await page.waitForSelector("button[name=action_resume]", LONG);
    });
    const settled = watchRequests(page);
    await page.waitForTimeout(6000);
    const done = () => page.locator(".o_field_widget[name=progress]").innerText();
    const before = await done();
    await page.reload();
    await page.waitForSelector("button[name=action_resume]");
    await settled();
    if ((await done()) !== before) {
        throw new Error("the work went on after it was stopped");
    }
    await measure(page, "resumed", async () => {
        await page.click("button[name=action_resume]");
        await page.waitForSelector("button[name=action_stop]", LONG);
    });
    await measure(page, "finished, and said so", () =>
        page.waitForSelector(".o_notification_buttons button", {timeout: 1200000}),
    );
    await measure(page, "the result opens", async () => {
        await page.click(".o_notification_buttons button");
        await page.waitForSelector(".o_form_view button[name=action_view_lines]:visible", LONG);
    });
    await measure(page, "the list of those that are done opens", async () => {
        await page.click("button[name=action_view_lines]:visible");
        await page.waitForSelector(".o_list_view .o_data_row, .o_kanban_record", LONG);
    });
}

try {
    const page = await open();
    for (const [what, xmlid] of FLOWS) {
        await selectAll(page);
        const name = await getFlowName(xmlid);
        await measure(page, `the window of ${what} opens`, async () => {
            await chooseFlow(page, name);
            await page.waitForSelector(".modal button[name=action_confirm]:visible", LONG);
        });
        await readWindow(page);
        await page.click(".modal footer button.btn-secondary:visible");
    }
    await refuseAll(page);
    await page.context().close();
    await goOnElsewhere();
} catch (error) {
    console.log(`  FAILED: ${error.message}`);
    process.exitCode = 1;
} finally {
    await browser.close();
}
