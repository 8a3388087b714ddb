{
    "name": "Membership Renewal: Job Queue",
    "summary": "Spread the background work of memberships over many workers and hosts",
    "version": "19.0.1.0.0",
    "category": "Sales/Membership",
    "author": "Membri Renewal Contributors",
    "license": "AGPL-3",
    "depends": ["membri_renewal", "queue_job"],
    "data": ["data/queue_job_data.xml"],
    "auto_install": True,
}
