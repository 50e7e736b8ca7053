using System.Diagnostics;
using System.Globalization;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Machines;

/// <summary>A guest that writes two files on two disks in step is backed up while everything that takes part is killed between freeze and thaw.</summary>
public sealed class KilledMomentTests
{
    private const string Name = "stepping";

    private static readonly string[] _disks = ["disk", "second"];

    private enum Victim
    {
        Backup,
        Keeper,
        Agent,
        Machine,
        Nobody,
    }

    [Fact]
    public async Task The_guest_goes_on_and_all_points_agree_and_start()
    {
        await SteppingGuest.RequireAsync();
        using var obengine = new Obengine();
        await using var guest = new SteppingGuest(obengine.Folder);
        await guest.MakeAsync();
        await guest.StartAsync();
        await obengine.CreateVaultAsync();
        var points = new List<(string Id, int Number)>();

        for (int round = 0; round < Campaign.Rounds(usual: 5, full: 20); round++)
        {
            Victim victim = (Victim)(round % 5);
            await using (var relay = new AgentRelay(obengine.Folder[$"relay{round}"], guest.AgentSocket))
            {
                Run run = await RunAsync(obengine, guest, relay, victim);
                Write($"{round}: {victim} killed: exit code {run.ExitCode}");
                Assert.True(victim is not Victim.Nobody || run.ExitCode == 0, run.ToString());
                if (run.ExitCode == 0)
                {
                    points.Add(await CheckAsync(obengine, run));
                }
                else
                {
                    Assert.Equal(points.Count, await CountAsync(obengine));
                }
            }

            if (victim == Victim.Machine)
            {
                await guest.StartAsync();
            }

            await guest.RequireGoesOnAsync();

            // The next one finds nothing in its way.
            await using var next = new AgentRelay(obengine.Folder[$"next{round}"], guest.AgentSocket);
            Run after = await RunAsync(obengine, guest, next, Victim.Nobody);
            Assert.True(after.ExitCode == 0, after.ToString());
            points.Add(await CheckAsync(obengine, after));
            await guest.RequireGoesOnAsync();
        }

        await guest.KillAsync();
        Assert.Equal(points.Count, await CountAsync(obengine));
        Run verified = await obengine.OnVaultAsync("verify", "--read-data");
        Assert.True(verified.ExitCode == 0, verified.ToString());
        foreach ((string id, int number) in points.Where((_, index) => index % Math.Max(1, points.Count / 3) == 0))
        {
            await StartRestoredAsync(obengine, id, number);
        }
    }

    private static async Task<Run> RunAsync(Obengine obengine, SteppingGuest guest, AgentRelay relay, Victim victim)
    {
        using Process backup = obengine.Start(
            ["image", "backup", $"qmp:{guest.Monitor}", "--agent", relay.Path, "--require-freeze", "--work", obengine.Folder.Path, "--vault", obengine.Vault, "--passphrase-file", obengine.PassphraseFile, "--json"]);
        bool wasKilled = false;
        relay.OnFrozen(async () =>
        {
            wasKilled = true;
            switch (victim)
            {
                case Victim.Backup:
                    backup.Kill();
                    break;
                case Victim.Keeper:
                    Shell.RunChecked("pkill", "-KILL", "-P", $"{backup.Id}", "-f", "serve thaw");
                    break;
                case Victim.Agent:
                    await guest.Machine.RunAsync("kill -KILL $(pgrep -f 'qemu-ga -m' || busybox pidof qemu-ga ld-linux-x86-64.so.2)");
                    break;
                case Victim.Machine:
                    await guest.KillAsync();
                    break;
                default:
                    break;
            }
        });
        Run run = await Obengine.FinishAsync(backup);
        Assert.True(wasKilled, $"The guest was never held still: {run}");
        return run;
    }

    // Whether its files, as its point has them, were written in step; read from the disks as they are.
    private static async Task<(string Id, int Number)> CheckAsync(Obengine obengine, Run run)
    {
        string id = run.Lines().Single(line => line.GetProperty("type").GetString() == "summary").GetProperty("pointId").GetString()!;
        string first = await ReadAsync(obengine, id, $"disk:1:{SteppingGuest.First}");
        string second = await ReadAsync(obengine, id, $"second:0:{SteppingGuest.Second}");
        return (id, SteppingGuest.AssertInStep(first, second));
    }

    private static async Task<string> ReadAsync(Obengine obengine, string point, string place)
    {
        Run run = await obengine.RunAsync(["image", "cat", point, place, "--machine", Name, "--vault", obengine.Vault, "--passphrase-file", obengine.PassphraseFile]);
        Assert.True(run.ExitCode == 0, run.ToString());
        return run.Output;
    }

    private static async Task<int> CountAsync(Obengine obengine) =>
        (await obengine.JsonAsync("points", "--machine", Name)).Count(line => line.GetProperty("type").GetString() == "point");

    private static async Task StartRestoredAsync(Obengine obengine, string id, int number)
    {
        string target = obengine.Folder[$"restored {id}"];
        Run restored = await obengine.OnVaultAsync("restore", id, "--machine", Name, "--to", target, "--verify");
        Assert.True(restored.ExitCode == 0, restored.ToString());
        string[] images = [.. _disks.Select(disk =>
        {
            string raw = Directory.GetFiles(target, $"{disk}.raw", SearchOption.AllDirectories).Single();
            string image = Path.ChangeExtension(raw, ".qcow2");
            Shell.RunChecked("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, image);
            File.Delete(raw);
            return image;
        })];
        await using (StartedMachine machine = await StartedMachine.StartAsync(images[0], SteppingGuest.WithSecond(images[1])))
        {
            await machine.RunAsync("mount /dev/vdb /mnt");
            string first = await machine.RunAsync($"cat {SteppingGuest.First}");
            Assert.Equal(number, SteppingGuest.AssertInStep(first, await machine.RunAsync($"cat /mnt{SteppingGuest.Second}")));
            await machine.SwitchOffAsync();
        }

        Directory.Delete(target, recursive: true);
    }

    private static void Write(FormattableString text) => TestContext.Current.TestOutputHelper?.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
