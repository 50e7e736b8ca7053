using System.Text;
using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Qmp;
using MSOnlineBackup.VirtualMachines.Tests.Qemu;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Qmp;

public sealed class QmpClientTests
{
    private const string Greeting = """{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}""";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _impatience = TimeSpan.FromMilliseconds(200);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_monitor_that_another_client_holds_is_busy()
    {
        await using TestMachine machine = await TestMachine.StartAsync(null);
        await using QmpClient first = await QmpClient.ConnectAsync(machine.Monitor, _patience, Stop);

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => QmpClient.ConnectAsync(machine.Monitor, _impatience, Stop));

        Assert.Equal(BackupErrorId.VirtualMachineBusy, error.Id);
        Assert.Contains("another has it", error.Message, StringComparison.Ordinal);
        Assert.True(first.Version >= new Version(7, 0));
    }

    [Fact]
    public async Task Where_nobody_listens_it_is_unreachable()
    {
        BackupException error = await Assert.ThrowsAsync<BackupException>(() => QmpClient.ConnectAsync("/nonexistent/qmp", _patience, Stop));

        Assert.Equal(BackupErrorId.VirtualMachineUnreachable, error.Id);
    }

    [Fact]
    public async Task A_path_that_is_too_long_is_refused()
    {
        BackupException error = await Assert.ThrowsAsync<BackupException>(() => QmpClient.ConnectAsync("/" + new string('x', 120), _patience, Stop));

        Assert.Equal(BackupErrorId.VirtualMachineUnfit, error.Id);
    }

    [Fact]
    public async Task Answers_are_told_apart_by_their_ids_and_events_are_read_beside()
    {
        await using SocketServer server = Speak(command => command == "ask"
            ? ["""{"event": "STOP", "timestamp": {}}""", """{"return": "of nobody", "id": 77777}""", """{"return": {"value": 5}, "id": ID}"""]
            : ["""{"return": {}, "id": ID}"""]);
        await using QmpClient client = await QmpClient.ConnectAsync(server.Path, _patience, Stop);
        var events = new List<string>();
        client.OnEvent = happened => events.Add(happened.Text("event")!);

        JsonElement answer = await client.ExecuteAsync("ask", null, Stop);

        Assert.Equal(5, answer.Number("value"));
        Assert.Equal(["STOP"], events);
        Assert.Equal(new Version(7, 2, 22), client.Version);
    }

    [Fact]
    public async Task What_QEMU_refuses_is_told_in_its_words()
    {
        await using SocketServer server = Speak(command => command == "ask"
            ? ["""{"id": ID, "error": {"class": "GenericError", "desc": "No space left on device"}}"""]
            : ["""{"return": {}, "id": ID}"""]);
        await using QmpClient client = await QmpClient.ConnectAsync(server.Path, _patience, Stop);

        QmpException refused = await Assert.ThrowsAsync<QmpException>(() => client.ExecuteAsync("ask", null, Stop));

        BackupException error = refused.ToError("mail");
        Assert.Equal(BackupErrorId.VirtualMachineCommandFailed, error.Id);
        Assert.Equal("QEMU refused 'ask' for the virtual machine 'mail': No space left on device", error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SSH-2.0-OpenSSH_9.2")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"QMP": {"version": {"qemu": {"micro": 1, "minor": "x", "major": 7}}}}""")]
    [InlineData("""{"QMP": {"version": {"qemu": {"micro": 1, "minor": -5, "major": 7}}}}""")]
    public async Task What_does_not_greet_as_QEMU_is_refused(string greeting)
    {
        await using var server = new SocketServer(async (stream, stop) => await stream.WriteAsync(Encoding.UTF8.GetBytes(greeting + "\n"), stop));

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => QmpClient.ConnectAsync(server.Path, _patience, Stop));

        Assert.Equal(BackupErrorId.VirtualMachineUnreachable, error.Id);
    }

    [Theory]
    [InlineData("""{"return""")]
    [InlineData("5")]
    [InlineData("{}")]
    [InlineData("null")]
    public async Task What_is_no_answer_ends_the_connection(string said)
    {
        await using SocketServer server = Speak(command => command == "ask" ? [said] : ["""{"return": {}, "id": ID}"""]);
        await using QmpClient client = await QmpClient.ConnectAsync(server.Path, _patience, Stop);

        for (int i = 0; i < 2; i++)
        {
            BackupException error = await Assert.ThrowsAsync<BackupException>(() => client.ExecuteAsync("ask", null, Stop));
            Assert.Equal(BackupErrorId.VirtualMachineUnreachable, error.Id);
        }
    }

    [Fact]
    public async Task A_line_without_end_is_not_read_to_its_end()
    {
        byte[] much = new byte[1 << 20];
        much.AsSpan().Fill((byte)' ');
        await using var server = new SocketServer(async (stream, stop) =>
        {
            while (true)
            {
                await stream.WriteAsync(much, stop);
            }
        });

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => QmpClient.ConnectAsync(server.Path, _patience, Stop));

        Assert.Equal(BackupErrorId.VirtualMachineUnreachable, error.Id);
        Assert.Contains("one line", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_does_not_answer_is_not_asked_again()
    {
        await using SocketServer server = Speak(command => command == "ask" ? [] : ["""{"return": {}, "id": ID}"""]);
        await using QmpClient client = await QmpClient.ConnectAsync(server.Path, _patience, Stop, _impatience);

        BackupException late = await Assert.ThrowsAsync<BackupException>(() => client.ExecuteAsync("ask", null, Stop));
        BackupException after = await Assert.ThrowsAsync<BackupException>(() => client.ExecuteAsync("other", null, Stop));

        Assert.Contains("'ask' was not answered within 0.2 s", late.Message, StringComparison.Ordinal);
        Assert.Equal(BackupErrorId.VirtualMachineUnreachable, after.Id);
    }

    private static SocketServer Speak(Func<string, string[]> answer) => new(async (stream, stop) =>
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(Greeting + "\r\n"), stop);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            using JsonDocument command = JsonDocument.Parse(line);
            foreach (string said in answer(command.RootElement.Text("execute")!))
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(said.Replace("ID", $"{command.RootElement.Number("id")}", StringComparison.Ordinal) + "\r\n"), stop);
            }
        }
    });
}
