// A pool of threads that run ranges of work and can be told of several jobs at once.
// std::thread instead of OpenMP: a second OpenMP runtime beside torch's crashes on macOS.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace skipjack {

using Range = void (*)(void* context, int lo, int hi);

// One group's work, cut into chunks that threads claim in turn.
struct Job {
    Range run = nullptr;
    void* context = nullptr;
    int lo = 0, hi = 0, chunks = 0;
    // Round in the high half, next chunk in the low half: a thread that wakes late cannot claim a
    // chunk of a later round with an earlier round's count.
    std::atomic<unsigned long long> claim{0};
    std::atomic<int> left{0};
};

class Pool {
   public:
    Pool(int workers, int jobs) : jobs_(jobs) {
        for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
    }

    ~Pool() {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            stop_.store(true);
        }
        wake_.notify_all();
        for (auto& thread : threads_) thread.join();
    }

    // Make a job's chunks available; returns at once.
    void post(int index, Range run, void* context, int lo, int hi, int chunks) {
        Job& job = jobs_[index];
        job.run = run;
        job.context = context;
        job.lo = lo;
        job.hi = hi;
        job.chunks = chunks;
        job.left.store(chunks, std::memory_order_relaxed);
        unsigned long long round = (job.claim.load(std::memory_order_relaxed) >> 32) + 1;
        job.claim.store(round << 32 | static_cast<unsigned>(chunks), std::memory_order_release);
        if (threads_.empty()) return;
        posted_.fetch_add(1);
        if (asleep_.load() > 0) {
            { std::lock_guard<std::mutex> lock(mutex_); }
            wake_.notify_all();
        }
    }

    // Help with a job and return when all of it is done.
    void finish(int index) {
        Job& job = jobs_[index];
        while (take(job)) {
        }
        // What is left runs in other threads and is shorter than a chunk: waiting by spinning is
        // right, yielding in case there are more threads than cores.
        for (int spins = 0; job.left.load(std::memory_order_acquire) > 0; ++spins)
            if (spins > 2000) std::this_thread::yield();
    }

   private:
    bool take(Job& job) {
        unsigned long long seen = job.claim.load(std::memory_order_acquire);
        while (true) {
            unsigned remaining = static_cast<unsigned>(seen);
            if (remaining == 0) return false;
            int chunk = job.chunks - static_cast<int>(remaining);
            int lo = job.lo, hi = job.hi, chunks = job.chunks;
            Range run = job.run;
            void* context = job.context;
            if (!job.claim.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel)) continue;
            long long size = hi - lo;
            run(context, lo + static_cast<int>(size * chunk / chunks),
                lo + static_cast<int>(size * (chunk + 1) / chunks));
            job.left.fetch_sub(1, std::memory_order_release);
            return true;
        }
    }

    bool take_any() {
        for (Job& job : jobs_)
            if (take(job)) return true;
        return false;
    }

    // Whether a job was posted within the spin.
    bool spin(long long seen) {
        auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
        while (std::chrono::steady_clock::now() < until)
            for (int i = 0; i < 64; ++i)
                if (posted_.load(std::memory_order_acquire) != seen || stop_.load()) return true;
        return false;
    }

    void work() {
        while (!stop_.load()) {
            long long seen = posted_.load();
            while (take_any()) {
            }
            // PERF: a spin of 50 us catches the next step of a bare env loop, where waking up costs
            // as much as the step (two threads on Breakout, 4096 rows: 1.6 x became 1.8 x); sleeping
            // after that leaves the core to the learner.
            if (spin(seen)) continue;
            std::unique_lock<std::mutex> lock(mutex_);
            asleep_.fetch_add(1);
            wake_.wait(lock, [&] { return stop_.load() || posted_.load() != seen; });
            asleep_.fetch_sub(1);
        }
    }

    std::vector<Job> jobs_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::atomic<bool> stop_{false};
    std::atomic<long long> posted_{0};
    std::atomic<int> asleep_{0};
};

}  // namespace skipjack
