using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Agent.Capacity;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>capacity</c>.</summary>
internal sealed class CapacityCommand : HostCommand
{
    private readonly Option<string?> _protected;
    private readonly Option<string?> _change;
    private readonly Option<string?> _days;
    private readonly Option<string?> _weeks;
    private readonly Option<string?> _months;
    private readonly Option<string?> _yearly;
    private readonly Option<string?> _ratio;
    private readonly Option<string?> _growth;
    private readonly Option<string?> _years;
    private readonly Option<string?> _pool;
    private readonly VaultSelection _vault;

    public CapacityCommand()
        : base(
            "capacity",
            "Say how much room backups take, and when a pool is full: by what is assumed, or with --vault by what its recovery points have measured.",
            """
            obengine capacity --protected 1TiB --daily-change 10% --retention-days 10
            obengine capacity --vault /mnt/backup --retention-days 30 --retention-months 12 --growth 20%
            """)
    {
        _protected = Value("--protected", "SIZE", "Bytes of the files that are protected. Default: what the vault's newest points hold.");
        _change = Value("--daily-change", "SHARE", "How much of them changes in a day, such as 10% or 0.1. Default: what the vault's points brought.");
        _days = Value("--retention-days", "N", "For how many days each day's point is kept. Default: 30.");
        _weeks = Value("--retention-weeks", "N", "For how many weeks one of each week is kept. Default: 0.");
        _months = Value("--retention-months", "N", "For how many months one of each month is kept. Default: 0.");
        _yearly = Value("--retention-years", "N", "For how many years one of each year is kept. Default: 0.");
        _ratio = Value("--ratio", "NUMBER", "Bytes read for one that is stored: 2 where deduplication and compression halve them. Default: what the vault's points took, and 1 without a vault.");
        _growth = Value("--growth", "SHARE", "By how much the protected bytes grow in a year, such as 20% or 0.2. Default: 0.");
        _years = Value("--years", "N", "After how many years the room must still do. Default: 0.");
        _pool = Value("--pool", "SIZE", "Say when a pool of this size is full. Default: what a vault in a folder takes, and what its disk has free.");
        _vault = new VaultSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        var request = new CapacityRequest
        {
            ProtectedBytes = Size(context, _protected),
            DailyChange = Share(context, _change),
            RetentionDays = Count(context, _days) ?? 30,
            RetentionWeeks = Count(context, _weeks) ?? 0,
            RetentionMonths = Count(context, _months) ?? 0,
            RetentionYears = Count(context, _yearly) ?? 0,
            ReductionRatio = Ratio(context),
            GrowthPerYear = Share(context, _growth) ?? 0,
            Years = Count(context, _years) ?? 0,
            PoolBytes = Size(context, _pool),
        };
        CapacityMeasurement? measured = null;
        DateTimeOffset now = context.Environment.Time.GetUtcNow();
        if (_vault.IsNamed(context))
        {
            using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
            measured = await CapacityMeasurement.TakeAsync(vault, now, context.Stop).ConfigureAwait(false);
        }

        CapacityPlan plan = CapacityPlanner.Plan(request, measured);
        var summary = new CapacitySummary(
            plan.RequiredBytes,
            plan.FullBytes,
            plan.ChangeBytes,
            plan.Points,
            plan.ProtectedBytes,
            plan.DailyChange,
            plan.ReductionRatio,
            measured?.StoredBytes,
            plan.PoolBytes,
            plan.DaysUntilFull);
        return new Outcome(summary, Describe(context, plan, measured, now));
    }

    private static string Describe(CommandContext context, CapacityPlan plan, CapacityMeasurement? measured, DateTimeOffset now)
    {
        List<string> text =
        [
            $"{Quantity.Size(plan.RequiredBytes)} are needed: {Quantity.Size(plan.FullBytes)} for the newest recovery point, and {Quantity.Size(plan.ChangeBytes)} for what {Quantity.Count(plan.Points - 1)} older ones add.",
            string.Create(
                CultureInfo.InvariantCulture,
                $"That is by {Quantity.Size(plan.ProtectedBytes)} of protected files, of which {plan.DailyChange * 100:0.##} % change in a day, and {plan.ReductionRatio:0.##} bytes read for one that is stored{(measured is null ? "" : "; what was not given, the vault has measured")}."),
        ];
        if (measured is not null)
        {
            text.Add($"The vault takes {Quantity.Size(measured.StoredBytes)} now.");
        }

        if (plan.PoolBytes is { } pool)
        {
            text.Add(plan.DaysUntilFull switch
            {
                null => $"A pool of {Quantity.Size(pool)} is not full within a hundred years.",
                0 => $"A pool of {Quantity.Size(pool)} is full now.",
                { } days => $"A pool of {Quantity.Size(pool)} is full in {Quantity.Count(days, "day")}, about {context.LocalTime(now.AddDays(days))[..10]}.",
            });
        }

        return string.Join('\n', text);
    }

    private static long? Size(CommandContext context, Option<string?> option) => context.Get(option) is not { } text ? null
        : Quantity.TryParseSize(text, out long bytes) ? bytes
        : throw context.Invalid($"'{text}' is not a size for {option.Name}.", "Write a number with an optional unit: 500GiB, 1TiB, 2TB.", text);

    private static double? Share(CommandContext context, Option<string?> option) => context.Get(option) is not { } text ? null
        : CapacityShare.TryParse(text, out double share) ? share
        : throw context.Invalid($"'{text}' is not a share for {option.Name}.", "Write a percentage or a fraction: 10% or 0.1.", text);

    private static int? Count(CommandContext context, Option<string?> option) => context.Get(option) is not { } text ? null
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int count) ? count
        : throw context.Invalid($"'{text}' is not a number for {option.Name}.", "Write a whole number.", text);

    private double? Ratio(CommandContext context) => context.Get(_ratio) is not { } text ? null
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double ratio) ? ratio
        : throw context.Invalid($"'{text}' is not a number for {_ratio.Name}.", "Write a number such as 2 or 1.5.", text);
}
