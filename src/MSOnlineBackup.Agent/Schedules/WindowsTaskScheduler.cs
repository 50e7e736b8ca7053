using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using MSOnlineBackup.Engine.Sources.SystemState;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>The Task Scheduler of Windows: a task in a folder of ours, run by SYSTEM where an administrator installs it, else by the user, without a session of his.</summary>
/// <param name="temporary">A folder for the definition on its way.</param>
/// <param name="account">The SID of the account.</param>
/// <param name="commands">Runs <c>schtasks</c>.</param>
internal sealed class WindowsTaskScheduler(string temporary, string account, ISystemCommands commands) : ISystemScheduler
{
    /// <summary>The SID of SYSTEM.</summary>
    public const string SystemAccount = "S-1-5-18";

    private static readonly XNamespace _names = "http://schemas.microsoft.com/windows/2004/02/mit/task";

    private static readonly string[] _compared = ["Command", "Arguments", "StartBoundary", "Interval"];

    private readonly SchedulerProgram _schtasks = new(
        commands, OperatingSystem.IsWindows() ? Path.Combine(Environment.SystemDirectory, "schtasks.exe") : "schtasks.exe");

    /// <inheritdoc/>
    public string Name => "Task Scheduler";

    /// <inheritdoc/>
    public string PlaceOf(string task) => $@"\MSOnlineBackup\{task}";

    /// <summary>The definition of a task. What was missed fires once as soon as it can; batteries are for the program to mind.</summary>
    /// <param name="task">The task.</param>
    /// <param name="account">The SID of the account that runs it.</param>
    public static XDocument DefinitionOf(ScheduledTask task, string account) => new(
        new XElement(
            _names + "Task",
            new XAttribute("version", "1.2"),
            Element("RegistrationInfo", Element("Author", "MSOnlineBackup"), Element("Description", task.Description)),
            Element(
                "Triggers",
                task.Minutes.Select(minute => Element(
                    "TimeTrigger",
                    Element("Repetition", Element("Interval", "PT1H"), Element("StopAtDurationEnd", "false")),
                    Element("StartBoundary", string.Create(CultureInfo.InvariantCulture, $"2026-01-01T00:{minute:00}:00")),
                    Element("Enabled", "true")))),
            Element(
                "Principals",
                new XElement(
                    _names + "Principal",
                    new XAttribute("id", "Author"),
                    Element("UserId", account),
                    account == SystemAccount ? null : Element("LogonType", "S4U"),
                    Element("RunLevel", account == SystemAccount ? "HighestAvailable" : "LeastPrivilege"))),
            Element(
                "Settings",
                Element("MultipleInstancesPolicy", "IgnoreNew"),
                Element("DisallowStartIfOnBatteries", "false"),
                Element("StopIfGoingOnBatteries", "false"),
                Element("StartWhenAvailable", "true"),
                Element("RunOnlyIfNetworkAvailable", "false"),
                Element("Enabled", "true"),
                Element("RunOnlyIfIdle", "false"),
                Element("WakeToRun", "false"),
                Element("ExecutionTimeLimit", "PT0S")),
            new XElement(
                _names + "Actions",
                new XAttribute("Context", "Author"),
                Element("Exec", Element("Command", task.Command[0]), Element("Arguments", Arguments(task))))));

    /// <inheritdoc/>
    public async Task InstallAsync(ScheduledTask task, CancellationToken cancellationToken)
    {
        string file = Path.Combine(temporary, $"task-{RandomNumberGenerator.GetHexString(16, lowercase: true)}.xml");
        await using (var writer = new StreamWriter(file, append: false, Encoding.Unicode))
        {
            await writer.WriteAsync($"<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n{DefinitionOf(task, account)}".AsMemory(), cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await _schtasks.RequireAsync(cancellationToken, "/Create", "/TN", PlaceOf(task.Name), "/XML", file, "/F").ConfigureAwait(false);
        }
        finally
        {
            SchedulerProgram.Delete(file);
        }
    }

    /// <inheritdoc/>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        if (await QueryAsync(name, cancellationToken).ConfigureAwait(false) is not null)
        {
            await _schtasks.RequireAsync(cancellationToken, "/Delete", "/TN", PlaceOf(name), "/F").ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async Task<InstalledTask?> FindAsync(ScheduledTask task, CancellationToken cancellationToken)
    {
        if (await QueryAsync(task.Name, cancellationToken).ConfigureAwait(false) is not { } installed)
        {
            return null;
        }

        // The scheduler writes a definition in its own way: what counts is compared.
        XDocument wanted = DefinitionOf(task, account);
        bool isCurrent = _compared.All(name => Values(installed, name).SequenceEqual(Values(wanted, name)));
        bool isEnabled = Values(installed, "Enabled").All(value => value == "true");
        string user = Values(installed, "UserId").FirstOrDefault() ?? "";
        return new InstalledTask(isCurrent, isEnabled, user == SystemAccount ? "SYSTEM" : user);
    }

    /// <inheritdoc/>
    public async Task<string?> ReadAsync(string name, CancellationToken cancellationToken) =>
        (await QueryAsync(name, cancellationToken).ConfigureAwait(false))?.ToString();

    /// <inheritdoc/>
    public Task<string?> FindFaultAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    private static XElement Element(string name, params object?[] content) => new(_names + name, content);

    private static IEnumerable<string> Values(XDocument document, string name) => document.Descendants(_names + name).Select(element => element.Value.Trim());

    private static string Arguments(ScheduledTask task) => string.Join(' ', task.Command.Skip(1).Select(Quote));

    // As programs for Windows take their arguments apart: backslashes count only before a quotation mark.
    private static string Quote(string argument)
    {
        var quoted = new StringBuilder("\"");
        int slashes = 0;
        foreach (char c in argument)
        {
            quoted.Append(c == '"' ? new string('\\', slashes + 1) : "").Append(c);
            slashes = c == '\\' ? slashes + 1 : 0;
        }

        return quoted.Append('\\', slashes).Append('"').ToString();
    }

    private async Task<XDocument?> QueryAsync(string name, CancellationToken cancellationToken)
    {
        CommandResult result = await _schtasks.RunAsync(cancellationToken, "/Query", "/TN", PlaceOf(name), "/XML").ConfigureAwait(false);
        if (result.ExitCode != 0)
        {
            return null;
        }

        try
        {
            return XDocument.Parse(result.Output.TrimStart('\uFEFF').Trim());
        }
        catch (XmlException e)
        {
            throw SchedulerProgram.Refused($"'schtasks /Query /TN {PlaceOf(name)}'", result with { Error = e.Message });
        }
    }
}
