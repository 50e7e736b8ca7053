using System.Security;
using MSOnlineBackup.Engine.Sources.SystemState;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>launchd: a property list for each task, a daemon's where root installs it, else an agent's of the user.</summary>
/// <param name="folder">Where the lists lie.</param>
/// <param name="domain"><c>system</c>, or <c>gui/UID</c>.</param>
/// <param name="commands">Runs <c>launchctl</c>.</param>
internal sealed class LaunchdScheduler(string folder, string domain, ISystemCommands commands) : ISystemScheduler
{
    private readonly SchedulerProgram _launchctl = new(commands, "launchctl");

    /// <inheritdoc/>
    public string Name => "launchd";

    /// <inheritdoc/>
    public string PlaceOf(string task) => Path.Combine(folder, $"{Label(task)}.plist");

    /// <summary>The property list of a task. What was missed while the machine slept fires once when it wakes.</summary>
    public static string ListOf(ScheduledTask task)
    {
        string arguments = string.Concat(task.Command.Select(argument => $"    <string>{SecurityElement.Escape(argument)}</string>\n"));
        string minutes = string.Concat(task.Minutes.Select(minute =>
            FormattableString.Invariant($"    <dict>\n      <key>Minute</key>\n      <integer>{minute}</integer>\n    </dict>\n")));
        return $"""
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
            <!-- Written by MSOnlineBackup, and written anew by 'obengine schedule install': do not change it. -->
            <plist version="1.0">
            <dict>
              <key>Label</key>
              <string>{Label(task.Name)}</string>
              <key>ProgramArguments</key>
              <array>
            {arguments}  </array>
              <key>StartCalendarInterval</key>
              <array>
            {minutes}  </array>
              <key>ProcessType</key>
              <string>Background</string>
              <key>ExitTimeOut</key>
              <integer>120</integer>
            </dict>
            </plist>

            """;
    }

    /// <inheritdoc/>
    public async Task InstallAsync(ScheduledTask task, CancellationToken cancellationToken)
    {
        string file = PlaceOf(task.Name);
        await SchedulerProgram.WriteAsync(file, ListOf(task), cancellationToken).ConfigureAwait(false);

        // One that is loaded goes by what it was; that there is none is no failure.
        _ = await _launchctl.RunAsync(cancellationToken, "bootout", Service(task.Name)).ConfigureAwait(false);
        await _launchctl.RequireAsync(cancellationToken, "enable", Service(task.Name)).ConfigureAwait(false);
        await _launchctl.RequireAsync(cancellationToken, "bootstrap", domain, file).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        if (!File.Exists(PlaceOf(name)))
        {
            return;
        }

        if ((await _launchctl.RunAsync(cancellationToken, "print", Service(name)).ConfigureAwait(false)).ExitCode == 0)
        {
            await _launchctl.RequireAsync(cancellationToken, "bootout", Service(name)).ConfigureAwait(false);
        }

        SchedulerProgram.Delete(PlaceOf(name));
    }

    /// <inheritdoc/>
    public async Task<InstalledTask?> FindAsync(ScheduledTask task, CancellationToken cancellationToken)
    {
        if (SchedulerProgram.Read(PlaceOf(task.Name)) is not { } text)
        {
            return null;
        }

        CommandResult loaded = await _launchctl.RunAsync(cancellationToken, "print", Service(task.Name)).ConfigureAwait(false);
        return new InstalledTask(text == ListOf(task), loaded.ExitCode == 0, UserIn(text) ?? (domain == "system" ? "root" : Environment.UserName));
    }

    /// <inheritdoc/>
    public Task<string?> ReadAsync(string name, CancellationToken cancellationToken) => Task.FromResult(SchedulerProgram.Read(PlaceOf(name)));

    /// <inheritdoc/>
    public Task<string?> FindFaultAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    private static string Label(string task) => $"com.{task.Replace('-', '.')}";

    private static string? UserIn(string text)
    {
        const string Key = "<key>UserName</key>";
        int at = text.IndexOf(Key, StringComparison.Ordinal);
        return at < 0 ? null : text[(at + Key.Length)..].Split("<string>", 2)[^1].Split("</string>", 2)[0].Trim();
    }

    private string Service(string task) => $"{domain}/{Label(task)}";
}
