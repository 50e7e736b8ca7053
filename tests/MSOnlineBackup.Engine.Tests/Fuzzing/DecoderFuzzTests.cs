using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Fuzzing;

/// <summary>
/// Whatever a vault, a policy, a credential or a state file holds: a decoder gives a value or a <see cref="BackupException"/> with an id of
/// its own. Never another exception, never more memory than the input justifies, never without end.
/// </summary>
public sealed class DecoderFuzzTests
{
    // A decoder may take a block of its own size at once, and so many bytes for each of its input.
    private const long AllocationBase = 24 << 20;
    private const long AllocationPerByte = 400;

    private static readonly TimeSpan _hangGuard = TimeSpan.FromMinutes(2);

    public static TheoryData<string> Names => [.. Decoders.All.Select(decoder => decoder.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Every_input_of_the_corpus_gives_a_value_or_an_error_with_an_id(string name)
    {
        Decoder decoder = Find(name);
        if (Environment.GetEnvironmentVariable("OB_RECORD_CORPUS") == "1")
        {
            foreach ((int index, byte[] seed) in decoder.Seeds().Index())
            {
                decoder.Keep($"seed-{index}", seed);
            }
        }

        IReadOnlyList<byte[]> inputs = decoder.Inputs;
        Assert.NotEmpty(inputs);
        await GuardedAsync(decoder, inputs);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_sound_input_is_read(string name)
    {
        Decoder decoder = Find(name);
        Assert.All(decoder.Seeds(), decoder.Decode);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Altered_inputs_give_a_value_or_an_error_with_an_id(string name)
    {
        // A seed that is printed finds again what a random one found.
        int seed = Campaign.IsFull ? RandomNumberGenerator.GetInt32(int.MaxValue) : 20_261_129;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        Decoder decoder = Find(name);
        IReadOnlyList<byte[]> corpus = decoder.Inputs;
        var random = new Random(seed);
        var mutator = new Mutator(random);
        await GuardedAsync(decoder, Enumerable.Range(0, Campaign.Rounds(usual: 400, full: 300_000, brief: 200))
            .Select(_ => mutator.Mutate(corpus[random.Next(corpus.Count)], corpus[random.Next(corpus.Count)])));
    }

    [Fact]
    public void No_decoder_is_forgotten()
    {
        HashSet<Type> covered = [.. Decoders.All.SelectMany(decoder => decoder.Covers)];
        Assembly[] assemblies = [typeof(IVaultStore).Assembly, typeof(BackupAgent).Assembly];

        IEnumerable<Type> decoding = assemblies.SelectMany(assembly => assembly.GetTypes())
            .Where(type => !covered.Contains(type) && !Decoders.Exempt.ContainsKey(type) && Decodes(type));

        Assert.Equal([], decoding.Select(type => type.Name));
    }

    // Whatever is made from JSON, and whatever takes bytes or a text and is called as decoders are.
    private static bool Decodes(Type type) =>
        typeof(JsonSerializerContext).IsAssignableFrom(type)
        || type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly).Any(method =>
            Takes(
                method,
                [typeof(ReadOnlySpan<byte>), typeof(ReadOnlyMemory<byte>), typeof(byte[])],
                ["Decode", "TryDecode", "Open", "TryOpen", "TrySplit", "ReadHeader", "ReadFooter", "Read", "ReadText"])
            || Takes(method, [typeof(string), typeof(ReadOnlySpan<char>)], ["Decode", "TryDecode", "Parse", "TryParse"]));

    private static bool Takes(MethodInfo method, Type[] types, string[] names) =>
        names.Contains(method.Name) && method.GetParameters().Any(parameter => types.Contains(parameter.ParameterType));

    private static Decoder Find(string name) => Decoders.All.Single(decoder => decoder.Name == name);

    // On a thread of its own, so that one that never ends is told by its input.
    private static async Task GuardedAsync(Decoder decoder, IEnumerable<byte[]> inputs)
    {
        byte[] current = [];
        int done = 0;
        Task running = Task.Factory.StartNew(
            () =>
            {
                foreach (byte[] input in inputs)
                {
                    Volatile.Write(ref current, input);
                    Check(decoder, input);
                    Interlocked.Increment(ref done);
                }
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        for (int before = -1; await Task.WhenAny(running, Task.Delay(_hangGuard, TestContext.Current.CancellationToken)) != running; before = Volatile.Read(ref done))
        {
            if (before == Volatile.Read(ref done))
            {
                Assert.Fail($"'{decoder}' does not end with an input, which is kept as '{Fault(decoder, Volatile.Read(ref current))}'.");
            }
        }

        await running;
    }

    private static void Check(Decoder decoder, byte[] input)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            decoder.Decode(input);
        }
        catch (BackupException e) when (e.Id != BackupErrorId.UnexpectedError && !string.IsNullOrWhiteSpace(e.RecommendedAction))
        {
            // What it may say of an input.
        }
        catch (Exception e)
        {
            Assert.Fail($"'{decoder}' is not up to an input, which is kept as '{Fault(decoder, input)}': {e}");
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > AllocationBase + (AllocationPerByte * input.Length))
        {
            Assert.Fail($"'{decoder}' took {allocated:N0} bytes for an input of {input.Length:N0}, which is kept as '{Fault(decoder, input)}'.");
        }
    }

    private static string Fault(Decoder decoder, byte[] input) => decoder.Keep($"fault-{Convert.ToHexStringLower(SHA256.HashData(input))[..16]}", input);
}
