"""Uses one key for all its jobs."""

from base import rivya_urllib as client


def make_video(prompt):
    id_file = client.STATE / prompt.replace(" ", "-")
    if not id_file.exists():
        id_file.write_text(client.create(prompt, "my-video-app"))
    client.save(client.wait_for(id_file.read_text()))


def main():
    make_video("Rain on a tin roof")
    make_video("Sun on a tin roof")


client.run(main)
